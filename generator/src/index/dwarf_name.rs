//! Type names as rustc writes them in DWARF: `alloc::vec::Vec<u8, alloc::alloc::Global>`, `&mut dyn a::Tr`,
//! `(u8)` for a tuple of one. In: hostile text. Out: a tree of bounded depth and size.

/// Deeper or longer names are refused.
const MAX_DEPTH: u32 = 64;
const MAX_LENGTH: usize = 64 << 10;

/// A type by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TypeName {
    /// A path without its arguments, and these.
    Path {
        /// `alloc::vec::Vec`, `u8`.
        path: String,
        /// Type and const arguments.
        arguments: Vec<TypeName>,
        /// `Output=u8`, of traits.
        bindings: Vec<(String, TypeName)>,
    },
    /// `&T`, `&mut T`.
    Reference {
        /// `&mut`.
        mutable: bool,
        /// The target.
        to: Box<TypeName>,
    },
    /// `*const T`, `*mut T`.
    Pointer {
        /// `*mut`.
        mutable: bool,
        /// The target.
        to: Box<TypeName>,
    },
    /// `[T]`.
    Slice(Box<TypeName>),
    /// `[T; N]`.
    Array(Box<TypeName>, u64),
    /// `()`, `(A)` (one element), `(A, B)`.
    Tuple(Vec<TypeName>),
    /// `dyn A + B`; the first is the principal trait.
    Dyn(Vec<TypeName>),
    /// `unsafe extern "C" fn(A) -> B`.
    Function {
        /// `unsafe`.
        is_unsafe: bool,
        /// `extern "C"`.
        abi: Option<String>,
        /// Parameters.
        parameters: Vec<TypeName>,
        /// The result, where it is not `()`.
        result: Option<Box<TypeName>>,
    },
    /// `!`.
    Never,
    /// A const argument: `4`, `-1`, `true`, `'a'`.
    Const(String),
}

impl TypeName {
    /// Reads a name; `None` where it is no type that Rust source could spell (closures, impls' inner types) or
    /// no type at all.
    pub fn parse(text: &str) -> Option<TypeName> {
        if text.len() > MAX_LENGTH {
            return None;
        }
        let mut reader = Reader { text, at: 0 };
        let read = reader.one(0)?;
        reader.blanks();
        (reader.at == text.len()).then_some(read)
    }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn blanks(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn take(&mut self, token: &str) -> bool {
        self.blanks();
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    /// A word, not merely the beginning of one.
    fn take_word(&mut self, word: &str) -> bool {
        let before = self.at;
        if self.take(word) && !self.rest().starts_with(|c: char| c.is_alphanumeric() || c == '_') {
            return true;
        }
        self.at = before;
        false
    }

    fn one(&mut self, depth: u32) -> Option<TypeName> {
        if depth > MAX_DEPTH {
            return None;
        }
        if self.take("&") {
            let mutable = self.take_word("mut");
            return Some(TypeName::Reference { mutable, to: Box::new(self.one(depth + 1)?) });
        }
        if self.take("*") {
            let mutable = self.take_word("mut");
            if !mutable && !self.take_word("const") {
                return None;
            }
            return Some(TypeName::Pointer { mutable, to: Box::new(self.one(depth + 1)?) });
        }
        if self.take("[") {
            let of = Box::new(self.one(depth + 1)?);
            if self.take("]") {
                return Some(TypeName::Slice(of));
            }
            let length = self.take(";").then(|| self.number())??;
            return self.take("]").then_some(TypeName::Array(of, length));
        }
        if self.take("(") {
            return self.parenthesised(depth + 1);
        }
        if self.take("!") {
            return Some(TypeName::Never);
        }
        if self.take_word("dyn") {
            return self.bounds(depth + 1).map(TypeName::Dyn);
        }
        self.function(depth).or_else(|| self.constant()).or_else(|| self.path(depth))
    }

    /// rustc puts parentheses around `dyn A + B` only, so that `(dyn A + B)` is no tuple of one.
    fn parenthesised(&mut self, depth: u32) -> Option<TypeName> {
        let mut items = Vec::new();
        loop {
            if self.take(")") {
                break;
            }
            items.push(self.one(depth)?);
            if self.take(",") {
                continue;
            }
            if self.take(")") {
                break;
            }
            return None;
        }
        match &items[..] {
            [TypeName::Dyn(bounds)] if bounds.len() > 1 => items.pop(),
            _ => Some(TypeName::Tuple(items)),
        }
    }

    fn bounds(&mut self, depth: u32) -> Option<Vec<TypeName>> {
        let mut bounds = vec![self.path(depth)?];
        while self.take("+") {
            bounds.push(self.path(depth)?);
        }
        Some(bounds)
    }

    fn function(&mut self, depth: u32) -> Option<TypeName> {
        let before = self.at;
        let found = self.function_after(depth);
        if found.is_none() {
            self.at = before;
        }
        found
    }

    fn function_after(&mut self, depth: u32) -> Option<TypeName> {
        let is_unsafe = self.take_word("unsafe");
        let mut abi = None;
        if self.take_word("extern") {
            self.take("\"").then_some(())?;
            let end = self.rest().find('"')?;
            abi = Some(self.rest().get(..end)?.to_owned());
            self.at += end + 1;
        }
        (self.take_word("fn") && self.take("(")).then_some(())?;
        let mut parameters = Vec::new();
        while !self.take(")") {
            parameters.push(self.one(depth + 1)?);
            if !self.take(",") && !self.rest().trim_start().starts_with(')') {
                return None;
            }
        }
        let result = if self.take("->") { Some(Box::new(self.one(depth + 1)?)) } else { None };
        Some(TypeName::Function { is_unsafe, abi, parameters, result })
    }

    fn number(&mut self) -> Option<u64> {
        self.blanks();
        let digits = self.rest().len() - self.rest().trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let number = self.rest().get(..digits)?.parse().ok()?;
        self.at += digits;
        Some(number)
    }

    fn constant(&mut self) -> Option<TypeName> {
        self.blanks();
        let rest = self.rest();
        for word in ["true", "false"] {
            if self.take_word(word) {
                return Some(TypeName::Const(word.to_owned()));
            }
        }
        if let Some(quoted) = rest.strip_prefix('\'') {
            // A char literal: `'a'`, `'\n'`, `'\u{301}'`, `'\''`.
            let skipped = if quoted.starts_with('\\') { 2 } else { quoted.chars().next()?.len_utf8() };
            let end = 1 + skipped + quoted.get(skipped..)?.find('\'')? + 1;
            self.at += end;
            return rest.get(..end).map(|text| TypeName::Const(text.to_owned()));
        }
        let sign = usize::from(rest.starts_with('-'));
        let digits = rest.get(sign..)?.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            return None;
        }
        self.at += sign + digits;
        rest.get(..sign + digits).map(|text| TypeName::Const(text.to_owned()))
    }

    fn path(&mut self, depth: u32) -> Option<TypeName> {
        if depth > MAX_DEPTH {
            return None;
        }
        self.blanks();
        let start = self.at;
        loop {
            self.take("r#");
            let word = |c: char| c.is_alphanumeric() || c == '_';
            let length = self.rest().len() - self.rest().trim_start_matches(word).len();
            if length == 0 {
                return None;
            }
            self.at += length;
            if !self.rest().starts_with("::") {
                break;
            }
            self.at += 2;
        }
        let path = self.text.get(start..self.at)?.replace("r#", "");
        let (mut arguments, mut bindings) = (Vec::new(), Vec::new());
        if self.rest().starts_with('<') {
            self.at += 1;
            while !self.take(">") {
                match self.binding() {
                    Some(name) => bindings.push((name, self.one(depth + 1)?)),
                    None => arguments.push(self.one(depth + 1)?),
                }
                if !self.take(",") && !self.rest().trim_start().starts_with('>') {
                    return None;
                }
            }
        }
        Some(TypeName::Path { path, arguments, bindings })
    }

    /// `Output=`
    fn binding(&mut self) -> Option<String> {
        self.blanks();
        let rest = self.rest();
        let length = rest.len() - rest.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_').len();
        let name = rest.get(..length).filter(|name| !name.is_empty())?;
        let after = rest.get(length..)?;
        let equals = after.len() - after.trim_start().len();
        if !after.trim_start().starts_with('=') {
            return None;
        }
        self.at += length + equals + 1;
        Some(name.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn path(path: &str) -> TypeName {
        TypeName::Path { path: path.to_owned(), arguments: Vec::new(), bindings: Vec::new() }
    }

    #[test]
    fn tuples_of_one_and_dyn_in_parentheses_are_told_apart() {
        assert_eq!(TypeName::parse("(u8)"), Some(TypeName::Tuple(vec![path("u8")])));
        let both = TypeName::Dyn(vec![path("core::fmt::Debug"), path("core::marker::Send")]);
        let text = "&(dyn core::fmt::Debug + core::marker::Send)";
        let reference = TypeName::Reference { mutable: false, to: Box::new(both) };
        assert_eq!(TypeName::parse(text), Some(reference));
        let one = TypeName::parse("(dyn a::Tr)");
        assert_eq!(one, Some(TypeName::Tuple(vec![TypeName::Dyn(vec![path("a::Tr")])])));
    }

    #[test]
    fn names_of_a_real_program_are_read() {
        for text in [
            "&dyn core::ops::function::Fn<(u8, u16), Output=bool>",
            "unsafe extern \"C\" fn(i32)",
            "fn(u8) -> u16",
            "std::collections::hash::map::HashMap<alloc::string::String, alloc::vec::Vec<u8, alloc::alloc::Global>, \
             std::hash::random::RandomState, alloc::alloc::Global>",
            "a::F<true, 'x'>",
            "a::G<i8, 4>",
            "a::N<-4>",
            "*const [u8; 4]",
            "&mut dyn core::fmt::Write",
            "!",
            "()",
        ] {
            assert!(TypeName::parse(text).is_some(), "{text}");
        }
    }

    #[test]
    fn things_without_a_name_are_refused() {
        for text in [
            "a::main::{closure_env#0}",
            "a::{impl#0}::go::Local",
            "<u8 as a::Tr>::{vtable_type}",
            "a::F<{CONST#1234}>",
            "",
            "Vec<",
            "[u8; 99999999999999999999]",
            "a b",
        ] {
            assert_eq!(TypeName::parse(text), None, "{text}");
        }
        assert_eq!(TypeName::parse(&"&".repeat(10_000)), None);
        assert_eq!(TypeName::parse(&"a<".repeat(10_000)), None);
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "[&*(),<>\\[\\];:=+ '\\\\\"a-z0-9é!{}#-]{0,40}") {
            let _ = TypeName::parse(&text);
        }
    }
}
