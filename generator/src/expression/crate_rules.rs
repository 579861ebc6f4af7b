//! Values of types of other crates whose fields nobody else may write, by rules that are data: `crate_rules.toml`,
//! where its form is told. In: a decoded value. Out: a call of the type's own public functions, or nothing where no
//! rule fits. To add a type, add a rule there. Never: text of the process other than through `hostile`.

mod calendar;
mod flags;
mod formula;
mod source;
mod table;
mod template;
mod version;

use std::borrow::Cow;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::quote;
use relapse_snapshot::{Data, TypeKind, TypeShape, Value};

use super::Unwritable;
use super::collection::sort_key;
use super::type_name::{definition, snake_case};
use super::writer::{Place, Writer};
use crate::hostile::literal;
use formula::{Computed, Formula, Path};
use template::{Listing, Piece, TextPart};
use version::Versions;

pub use table::{CrateRules, RuleError, RuleText};

/// How values of some types are built.
#[derive(Debug)]
struct Rule {
    /// Definitions, or `a::b::*` for all types of a module; `&a::B`: a reference to one that has no size.
    types: Vec<String>,
    /// The versions of the type's crate that it is for.
    versions: Option<Versions>,
    /// The rule is for values of which this is true.
    when: Option<Formula>,
    /// Where this is true, the value that is built differs from the one that was read.
    loses: Option<Formula>,
    /// Functions that must be there and not be deprecated: a type's definition, the function's name.
    needs: Vec<(String, String)>,
    /// Or why nothing builds such a value.
    build: Result<Vec<Piece>, String>,
    text: RuleText,
}

/// Functions of std's own traits, which no impl block of the type itself declares.
const OF_TRAITS: [&str; 2] = ["from", "default"];

/// A part that was not read is not looked for any further.
const MAX_PARTS: usize = 1000;

/// More bits are not written one by one.
const MAX_BITS: usize = 1024;

/// Longest text that is put together.
const MAX_JOINED: usize = 4096;

thread_local! {
    // A table that cannot be read, which its test would tell, leaves its types unwritable.
    static RULES: CrateRules = CrateRules::among(include_str!("crate_rules.toml")).unwrap_or_default();
}

/// The rules that are built in, as they are written, for documents.
pub fn built_in() -> Vec<RuleText> {
    RULES.with(CrateRules::texts)
}

/// Whether a built-in rule is for a type.
pub(super) fn has_built_in_rule(definition: &str) -> bool {
    RULES.with(|rules| rules.rules.iter().any(|rule| rule.is_for(definition)))
}

impl Rule {
    fn is_for(&self, definition: &str) -> bool {
        self.types.iter().any(|own| match own.strip_suffix('*') {
            Some(module) => definition.strip_prefix(module).is_some_and(|name| !name.contains("::")),
            None => own == definition,
        })
    }
}

impl Writer<'_> {
    /// A value by the rule of its type; `None` where there is none that fits, or none is needed.
    pub(super) fn by_crate_rule(
        &mut self,
        value: &Value,
        shape: &TypeShape,
        path: &str,
        place: Place,
    ) -> Option<Result<TokenStream, Unwritable>> {
        if let Some(flags) = self.flags(value, shape, path, place) {
            return Some(flags);
        }
        // The project's own come first, and hold for types of its own, too.
        let own = self.names.rules().cloned().unwrap_or_default();
        if let Some(written) = self.by_rules(&own, value, shape, path, place) {
            self.refused_by_own_rule |= written.is_err();
            return Some(written);
        }
        let rules = RULES.with(CrateRules::clone);
        rules.rules.iter().find(|rule| rule.is_for(path))?;
        if self.names.literal(path).is_ok() {
            return None;
        }
        self.by_rules(&rules, value, shape, path, place).or_else(|| {
            missing_part(value).map(|reason| Err(self.refuse(format!("could not be read: {reason}"))))
        })
    }

    /// A reference to what has no size by itself (`&BStr`), by a rule for such references.
    pub(super) fn by_reference_rule(
        &mut self,
        value: &Value,
        to: &TypeShape,
        place: Place,
    ) -> Option<Result<TokenStream, Unwritable>> {
        let path = definition(&to.name)?;
        let known = format!("&{path}");
        let own = self.names.rules().cloned().unwrap_or_default();
        for rules in [own, RULES.with(CrateRules::clone)] {
            let fitting: Vec<&Rule> = rules.rules.iter().filter(|rule| rule.is_for(&known)).collect();
            if let Some(rule) = fitting.into_iter().find(|rule| self.fits(rule, value, &path)) {
                return Some(self.build(rule, value, to, &path, place));
            }
        }
        None
    }

    fn by_rules(
        &mut self,
        rules: &CrateRules,
        value: &Value,
        shape: &TypeShape,
        path: &str,
        place: Place,
    ) -> Option<Result<TokenStream, Unwritable>> {
        let known = rules.rules.iter().filter(|rule| rule.is_for(path));
        let fitting: Vec<&Rule> = known.filter(|rule| self.fits(rule, value, path)).collect();
        // Where nothing that a rule needs can be named from here, the first of them tells.
        let named = |rule: &&&Rule| rule.build.as_ref().is_ok_and(|pieces| self.can_name(pieces));
        let rule = fitting.iter().find(named).or(fitting.first())?;
        Some(self.build(rule, value, shape, path, place))
    }

    fn build(
        &mut self,
        rule: &Rule,
        value: &Value,
        shape: &TypeShape,
        path: &str,
        place: Place,
    ) -> Result<TokenStream, Unwritable> {
        let pieces = rule.build.as_ref().map_err(|reason| self.refuse(reason.as_str()))?;
        let generic = shape.name.ends_with('>');
        let full = if generic && place.typed { self.names.type_tokens(&shape.name).ok() } else { None };
        let full = full.filter(|_| !self.stand_ins.change(value.ty, self.types));
        let own = Own { path, full };
        let place = Place { typed: place.typed && generic, ..place.within_call() };
        let tokens = self.pieces(pieces, value, &own, Step { path: "", index: 0 }, place)?;
        self.suspect |= rule.loses.as_ref().is_some_and(|loses| loses.holds(value, self.types));
        Ok(tokens)
    }

    /// Whether a rule knows this value's form, and the functions that it calls are there.
    fn fits(&self, rule: &Rule, value: &Value, path: &str) -> bool {
        let pieces = rule.build.as_deref().unwrap_or_default();
        let own = template::own_functions(pieces);
        let own = own.iter().filter(|function| !OF_TRAITS.contains(&function.as_str()));
        rule.when.as_ref().is_none_or(|when| when.holds(value, self.types))
            && rule.versions.as_ref().is_none_or(|versions| {
                self.names.version(path).is_some_and(|version| versions.hold(&version))
            })
            && self.pieces_fit(pieces, value)
            && own.map(String::as_str).all(|function| self.names.has_function(path, function))
            && rule.needs.iter().all(|(definition, function)| self.names.has_function(definition, function))
    }

    fn can_name(&self, pieces: &[Piece]) -> bool {
        pieces.iter().all(|piece| match piece {
            Piece::Item(definition) | Piece::Trait(definition, _) => self.names.path(definition).is_ok(),
            Piece::Group(_, inner) | Piece::Only(_, inner) => self.can_name(inner),
            Piece::Each(listing) => self.can_name(&listing.template),
            _ => true,
        })
    }

    fn pieces_fit(&self, pieces: &[Piece], value: &Value) -> bool {
        pieces.iter().all(|piece| match piece {
            Piece::Token(_) | Piece::Own { .. } | Piece::Item(_) | Piece::Trait(..) | Piece::At => true,
            Piece::Group(_, inner) => self.pieces_fit(inner, value),
            Piece::Value(path, _) => path.find(value).is_some(),
            Piece::Text(parts) => match parts.as_slice() {
                // A long text may be cut off: that is said when it is written.
                [TextPart::Of(path)] => path.find(value).and_then(text_of).is_some_and(is_text),
                parts => joined(parts, value).is_some(),
            },
            Piece::Kebab(path) => kebab(path, value).is_some(),
            Piece::Bits(words, count) => self.bits(words, count, value).is_some(),
            Piece::Only(condition, inner) => {
                !condition.holds(value, self.types) || self.pieces_fit(inner, value)
            }
            Piece::Source(path) => path.find(value).is_some_and(|items| source::source(items).is_some()),
            Piece::Packed(parts) => self.packed(parts, value).is_some(),
            Piece::Ascii(number) => self.ascii(number, value).is_some(),
            Piece::Bytes(path, _) | Piece::Array(path) => {
                path.find(value).is_some_and(|value| formula::little_endian(value, self.types).is_some())
            }
            Piece::Number(formula) => {
                formula.compute(value, self.types).is_some_and(|number| rendered(&number).is_some())
            }
            Piece::Each(listing) => self.listed(listing, value).is_some_and(|(items, _)| {
                items.iter().all(|(_, item)| self.pieces_fit(innermost(listing), item))
            }),
        })
    }

    /// Calls itself for what a rule nests, and values nest rules: what has no parts is written apart, so that a level
    /// takes little of the stack.
    fn pieces(
        &mut self,
        pieces: &[Piece],
        value: &Value,
        own: &Own<'_>,
        step: Step<'_>,
        place: Place,
    ) -> Result<TokenStream, Unwritable> {
        let mut out = TokenStream::new();
        let mut pieces = pieces.iter().peekable();
        while let Some(piece) = pieces.next() {
            out.extend(match piece {
                Piece::Group(delimiter, inner) => {
                    grouped(*delimiter, self.pieces(inner, value, own, step, place)?)
                }
                Piece::Value(path, is_operand) => {
                    self.value_piece(path, value, step, Place { operand: *is_operand, ..place })?
                }
                Piece::Only(condition, _) if !condition.holds(value, self.types) => continue,
                Piece::Only(_, inner) => self.pieces(inner, value, own, step, place)?,
                Piece::Each(listing) => {
                    let items = self.each(listing, value, own, place)?;
                    if items.is_empty() && !listing.joined {
                        pieces.next_if(|next| template::is_comma(next));
                    }
                    items
                }
                piece => self.plain_piece(piece, value, own, step)?,
            });
        }
        Ok(out)
    }

    fn value_piece(
        &mut self,
        path: &Path,
        value: &Value,
        step: Step<'_>,
        place: Place,
    ) -> Result<TokenStream, Unwritable> {
        let part = self.found(path, value)?;
        self.part(&format!("{}{}", step.path, path.shown), part, place)
    }

    /// A piece without pieces or values within it.
    fn plain_piece(
        &mut self,
        piece: &Piece,
        value: &Value,
        own: &Own<'_>,
        step: Step<'_>,
    ) -> Result<TokenStream, Unwritable> {
        let text = match piece {
            Piece::Token(token) => return Ok(token.clone().into()),
            Piece::Own { qualifies } => {
                return Ok(match &own.full {
                    Some(full) if *qualifies => quote!(<#full>),
                    Some(full) => full.clone(),
                    None => self.name(own.path)?,
                });
            }
            Piece::Item(definition) => return self.name(definition),
            Piece::Trait(definition, is_generic) => {
                let name = self.name(definition)?;
                return Ok(match &own.full {
                    Some(full) if *is_generic => quote!(<#full as #name<_>>),
                    Some(full) => quote!(<#full as #name>),
                    None => name,
                });
            }
            Piece::At => {
                let at = literal::integer(step.index as u128, false, "usize", false);
                return at.ok_or_else(|| self.formless());
            }
            Piece::Bits(words, count) => {
                let bits = self.bits(words, count, value).ok_or_else(|| self.formless())?;
                return Ok(quote!(#(#bits),*));
            }
            Piece::Bytes(path, _) | Piece::Array(path) => {
                let bytes = formula::little_endian(self.found(path, value)?, self.types);
                let bytes = bytes.ok_or_else(|| self.formless())?;
                let bytes = self.bytes(&bytes, bytes.len() as u64, false)?;
                return Ok(match piece {
                    Piece::Bytes(_, is_operand) => operand(bytes.reference(), *is_operand),
                    _ => bytes.array(),
                });
            }
            Piece::Number(formula) => {
                let number = formula.compute(value, self.types).as_ref().and_then(rendered);
                return number.ok_or_else(|| self.formless());
            }
            Piece::Text(parts) => {
                if let [TextPart::Of(path)] = parts.as_slice() {
                    let text = text_of(self.found(path, value)?).ok_or_else(|| self.formless())?;
                    let text = as_text(text).ok_or_else(|| self.formless())?;
                    return self.text(&text);
                }
                joined(parts, value)
            }
            Piece::Kebab(path) => kebab(path, value),
            Piece::Source(path) => source::source(self.found(path, value)?),
            Piece::Ascii(number) => self.ascii(number, value),
            Piece::Packed(parts) => self.packed(parts, value),
            Piece::Group(..) | Piece::Value(..) | Piece::Only(..) | Piece::Each(_) => None,
        };
        Ok(literal::text(&text.ok_or_else(|| self.formless())?))
    }

    fn each(
        &mut self,
        listing: &Listing,
        value: &Value,
        own: &Own<'_>,
        place: Place,
    ) -> Result<TokenStream, Unwritable> {
        let (items, is_whole) = self.listed(listing, value).ok_or_else(|| self.formless())?;
        if !is_whole {
            return Err(self.refuse("longer than what was read (raise the limits in relapse.toml)"));
        }
        let mut written = Vec::with_capacity(items.len());
        for (place_in, (index, item)) in items.iter().enumerate() {
            let place = Place { typed: place.typed && place_in == 0, ..place };
            let path = format!("[{index}]");
            let step = Step { path: &path, index: *index };
            written.push(self.pieces(innermost(listing), item, own, step, place)?);
        }
        Ok(if listing.joined { quote!(#(#written)*) } else { quote!(#(#written),*) })
    }

    /// What `each` goes through, with the places in its sequence, and whether that is all there was.
    fn listed<'v>(&self, listing: &Listing, value: &'v Value) -> Option<Listed<'v>> {
        let mut lists = vec![elements(listing.items.find(value)?)?];
        if let [Piece::Each(inner)] = listing.template.as_slice() {
            let (outer, len) = lists.pop()?;
            let Cow::Borrowed(outer) = outer else { return None };
            if outer.len() as u64 != len {
                return None;
            }
            for item in outer {
                lists.push(elements(inner.items.find(item)?)?);
            }
        }
        let is_whole = lists.iter().all(|(items, len)| items.len() as u64 == *len);
        let mut found = Vec::new();
        for (items, _) in lists {
            let items: Vec<Cow<'v, Value>> = match items {
                Cow::Borrowed(items) => items.iter().map(Cow::Borrowed).collect(),
                Cow::Owned(items) => items.into_iter().map(Cow::Owned).collect(),
            };
            let chosen = items.into_iter().enumerate().filter(|(_, item)| {
                listing.only.as_ref().is_none_or(|condition| condition.holds(item, self.types))
            });
            found.extend(chosen);
        }
        if listing.sorted {
            found.sort_by_cached_key(|(_, item)| match &item.data {
                // A map's buckets are pairs, of which the key tells.
                Data::Tuple(pair) => pair.first().map(sort_key),
                _ => Some(sort_key(item)),
            });
        }
        Some((found, is_whole))
    }

    /// The single bits of a sequence of numbers, the least of the first number first.
    fn bits(&self, words: &Path, count: &Formula, value: &Value) -> Option<Vec<bool>> {
        let bytes = formula::little_endian(words.find(value)?, self.types)?;
        let Computed::Number(count) = count.compute(value, self.types)? else { return None };
        let count = usize::try_from(count).ok().filter(|count| *count <= MAX_BITS)?;
        (0..count).map(|at| Some(bytes.get(at / 8)? >> (at % 8) & 1 == 1)).collect()
    }

    fn ascii(&self, number: &Formula, value: &Value) -> Option<String> {
        formula::ascii(&number.compute(value, self.types)?)
    }

    fn packed(&self, parts: &[Path], value: &Value) -> Option<String> {
        let parts: Vec<&Value> = parts.iter().map(|part| part.find(value)).collect::<Option<_>>()?;
        formula::packed(&parts, self.types)
    }

    fn found<'v>(&self, path: &Path, value: &'v Value) -> Result<&'v Value, Unwritable> {
        path.find(value).ok_or_else(|| self.formless())
    }

    fn formless(&self) -> Unwritable {
        self.refuse("what was read has another form than its crate's rule says")
    }
}

/// What a method or an index may follow: `&` of an array would take what they give.
fn operand(tokens: TokenStream, is_operand: bool) -> TokenStream {
    let is_one = tokens.clone().into_iter().nth(1).is_none();
    if is_operand && !is_one { grouped(Delimiter::Parenthesis, tokens) } else { tokens }
}

fn grouped(delimiter: Delimiter, inner: TokenStream) -> TokenStream {
    TokenTree::Group(Group::new(delimiter, inner)).into()
}

/// Elements with their places, and whether they are all.
type Listed<'v> = (Vec<(usize, Cow<'v, Value>)>, bool);

/// Where in a value a template stands.
#[derive(Clone, Copy)]
struct Step<'a> {
    /// As refusals name it: `[3]`.
    path: &'a str,
    /// The place in the sequence that `each` goes through.
    index: usize,
}

/// A rule's own type.
struct Own<'a> {
    /// Its definition.
    path: &'a str,
    /// Its name with all arguments, where the expression has to say them.
    full: Option<TokenStream>,
}

/// Why a part of a value was not read, where no rule fits it for that.
fn missing_part(value: &Value) -> Option<&str> {
    let mut open = vec![value];
    for _ in 0..MAX_PARTS {
        let value = open.pop()?;
        if let Data::Missing(reason) = &value.data {
            return Some(reason);
        }
        open.extend(value.children());
    }
    None
}

/// The elements of a sequence or, as pairs, of a map, and how many there were.
fn elements(of: &Value) -> Option<(Cow<'_, [Value]>, u64)> {
    match &of.data {
        Data::Sequence { items, len } => Some((items.into(), *len)),
        Data::Map { entries, len } => {
            let pair = |(key, value): &(Value, Value)| Value {
                ty: of.ty,
                trust: of.trust,
                data: Data::Tuple(vec![key.clone(), value.clone()]),
            };
            Some((entries.iter().map(pair).collect(), *len))
        }
        _ => None,
    }
}

/// The template of the elements: of a list of lists the inner one.
fn innermost(listing: &Listing) -> &[Piece] {
    match listing.template.as_slice() {
        [Piece::Each(inner)] => &inner.template,
        template => template,
    }
}

/// The text that a value is, pointers and wrappers around it seen through.
fn text_of(value: &Value) -> Option<&Value> {
    let mut at = value;
    for _ in 0..8 {
        at = match &at.data {
            Data::Text { .. } | Data::Bytes { .. } => return Some(at),
            Data::Pointer { to: Some(to), .. } => to,
            Data::Struct(fields) => match fields.as_slice() {
                [only] => &only.value,
                _ => return None,
            },
            _ => return None,
        };
    }
    None
}

/// Whether it is text: bytes are where they are UTF-8.
fn is_text(value: &Value) -> bool {
    match &value.data {
        Data::Text { .. } => true,
        Data::Bytes { bytes, .. } => std::str::from_utf8(bytes).is_ok(),
        _ => false,
    }
}

fn as_text(value: &Value) -> Option<Cow<'_, Value>> {
    match &value.data {
        Data::Text { .. } => Some(Cow::Borrowed(value)),
        Data::Bytes { bytes, len } => {
            let text = String::from_utf8(bytes.clone()).ok()?;
            Some(Cow::Owned(Value { ty: value.ty, trust: value.trust, data: Data::Text { text, len: *len } }))
        }
        _ => None,
    }
}

/// Several texts as one, at most as long as a literal.
fn joined(parts: &[TextPart], value: &Value) -> Option<String> {
    let mut out = String::new();
    for part in parts {
        match part {
            TextPart::Plain(text) => out.push_str(text),
            TextPart::Of(path) => match &as_text(text_of(path.find(value)?)?)?.data {
                Data::Text { text, len } if text.len() as u64 == *len => out.push_str(text),
                _ => return None,
            },
        }
    }
    (out.len() <= MAX_JOINED).then_some(out)
}

/// `ContentType` as `content-type`.
fn kebab(path: &Path, value: &Value) -> Option<String> {
    match &path.find(value)?.data {
        Data::Variant { name, .. } => Some(snake_case(name).replace('_', "-")),
        _ => None,
    }
}

/// A number as a literal; `None` where its type does not hold it.
fn rendered(number: &Computed) -> Option<TokenStream> {
    match number {
        Computed::Number(number) => literal::integer(number.unsigned_abs(), *number < 0, "i128", false),
        Computed::Wide(number) => literal::integer(*number, false, "u128", false),
        Computed::Typed(inner, ty) => match **inner {
            Computed::Number(number) => literal::integer(number.unsigned_abs(), number < 0, ty, true),
            Computed::Wide(number) => literal::integer(number, false, ty, true),
            _ => None,
        },
        Computed::Hexadecimal(number, digits) => Some(literal::hexadecimal(*number, *digits)),
        Computed::Flag(flag) => Some(quote!(#flag)),
        Computed::Float(_) => None,
    }
}

/// Whether a rule may be for values of that kind.
pub(super) fn is_candidate(kind: &TypeKind, data: &Data) -> bool {
    matches!(
        (kind, data),
        (
            TypeKind::Struct { .. },
            Data::Struct(_)
                | Data::Sequence { .. }
                | Data::Map { .. }
                | Data::Text { .. }
                | Data::Bytes { .. }
        ) | (TypeKind::Enum { .. }, Data::Variant { .. })
    )
}

#[cfg(test)]
mod tests;
