//! Functions as the index has them: where they stand, how they are declared, and cheap facts of their bodies.

use std::collections::BTreeSet;
use std::rc::Rc;

use proc_macro2::{TokenStream, TokenTree};
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{
    Block, Expr, ExprIf, ExprMatch, ExprMethodCall, FnArg, Macro, Pat, Signature, Token, TypeParamBound,
};

use super::asks::traits_of;
use super::attributes::Attributes;
use super::builds::Builds;
use super::cfg::Cfg;
use super::ids::{FunctionId, ModuleId, Visibility};
use super::never_returns::Returns;
use super::plain::Plain;
use super::surroundings::Reads;

/// What a function belongs to.
#[derive(Debug, Clone)]
pub enum Owner {
    /// A free function.
    Module,
    /// `impl Type { … }`.
    Inherent {
        /// The type.
        self_type: Rc<syn::Type>,
        /// The impl's generic parameters.
        generics: Rc<syn::Generics>,
    },
    /// `impl Trait for Type { … }`.
    TraitImpl {
        /// The type.
        self_type: Rc<syn::Type>,
        /// The trait as written.
        trait_path: Rc<syn::Path>,
        /// The types that it is given there, by name: `type Item = Token;`.
        types: Rc<Vec<(String, syn::Type)>>,
        /// The impl's generic parameters.
        generics: Rc<syn::Generics>,
    },
    /// A method with a body in a trait.
    Trait {
        /// The trait's name.
        name: String,
        /// The trait's generic parameters.
        generics: Rc<syn::Generics>,
    },
}

/// A function, method or associated function with a body.
#[derive(Debug, Clone)]
pub struct FunctionItem {
    /// Itself.
    pub id: FunctionId,
    /// Its name.
    pub name: String,
    /// The package's name.
    pub package: String,
    /// The crate's name in paths.
    pub crate_name: String,
    /// The file, relative to the workspace root, as snapshots have it.
    pub file: String,
    /// The first line: of its first attribute or doc comment.
    pub first_line: u32,
    /// The line where its head begins (`pub`, `const`, `fn`): what `DW_AT_decl_line` names.
    pub head_line: u32,
    /// The line of `fn NAME`.
    pub name_line: u32,
    /// First and last line of its body.
    pub body_lines: (u32, u32),
    /// The module that it stands in.
    pub module: ModuleId,
    /// From where it can be seen; for trait methods `Public`: the trait decides.
    pub visibility: Visibility,
    /// What it belongs to.
    pub owner: Owner,
    /// `async`, `unsafe`, `const`, `extern`, its own generics, parameters, result.
    pub signature: Signature,
    /// What its attributes say.
    pub attributes: Attributes,
    /// Its condition, that of its impl and of macros around it included.
    pub cfg: Cfg,
    /// The function in whose body it is nested; such a one cannot be named from elsewhere.
    pub nested_in: Option<String>,
    /// Panics that its body may start on purpose.
    pub asserts: Vec<Assert>,
    /// Whether a call of it can come back.
    pub returns: Returns,
    /// What its body reads beside its arguments.
    pub reads: BTreeSet<Reads>,
    /// Names of the functions and of its own value's methods that its body calls.
    pub calls: BTreeSet<String>,
    /// Names of those that it calls with nothing but its own parameters, each time.
    pub forwards: BTreeSet<String>,
    /// Which parameter is which field, of a function that makes its own type of its parameters alone.
    pub builds: Option<Box<Builds>>,
    /// Its body, where that is short and has no branches.
    pub plain: Option<Box<Plain>>,
}

/// A place in a body that panics on purpose: `assert!`, `panic!`, `.expect(…)` …
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assert {
    /// `assert`, `debug_assert_eq`, `panic`, `unreachable`, `unwrap`, `expect` …
    pub name: String,
    /// First and last line.
    pub lines: (u32, u32),
    /// Whether what is tested (the macro's condition, or the nearest `if` or `match` around a bare `panic!`)
    /// names no variable but the function's own parameters: the caller is then to blame.
    pub only_arguments: bool,
}

/// Whether a parameter is declared `mut`: its function may give it another value.
pub(crate) fn binds_mut(input: &FnArg) -> bool {
    match input {
        FnArg::Receiver(receiver) => receiver.mutability.is_some(),
        FnArg::Typed(typed) => matches!(&*typed.pat, Pat::Ident(name) if name.mutability.is_some()),
    }
}

impl FunctionItem {
    /// Whether it is written `pub` itself. A method of a trait is not: that one decides who can call it.
    pub fn is_written_pub(&self) -> bool {
        self.visibility == Visibility::Public && matches!(self.owner, Owner::Module | Owner::Inherent { .. })
    }

    /// The line of its closing brace.
    pub fn last_line(&self) -> u32 {
        self.body_lines.1
    }

    /// Whether a line is in it, attributes included.
    pub fn contains(&self, line: u32) -> bool {
        (self.first_line..=self.last_line()).contains(&line)
    }

    /// Whether it stands in an impl or trait.
    pub fn is_method(&self) -> bool {
        !matches!(self.owner, Owner::Module)
    }

    /// `async fn`.
    pub fn is_async(&self) -> bool {
        self.signature.asyncness.is_some()
    }

    /// `unsafe fn`.
    pub fn is_unsafe(&self) -> bool {
        matches!(self.signature.safety, syn::Safety::Unsafe(_))
    }

    /// The self type of its impl.
    pub fn self_type(&self) -> Option<&syn::Type> {
        match &self.owner {
            Owner::Inherent { self_type, .. } | Owner::TraitImpl { self_type, .. } => Some(self_type),
            Owner::Module | Owner::Trait { .. } => None,
        }
    }

    /// The generics of its impl or trait.
    pub fn owner_generics(&self) -> Option<&syn::Generics> {
        match &self.owner {
            Owner::Inherent { generics, .. }
            | Owner::TraitImpl { generics, .. }
            | Owner::Trait { generics, .. } => Some(generics),
            Owner::Module => None,
        }
    }

    /// The traits that a generic parameter of it, or of its impl, is bounded by where it is declared, as they stand there.
    /// An `impl Trait` parameter has its bounds for a name.
    pub fn bounds_of(&self, parameter: &str) -> Vec<syn::Path> {
        let mut bounds = Vec::new();
        let mut add = |list: &Punctuated<TypeParamBound, Token![+]>| bounds.extend(traits_of(list));
        if parameter.starts_with("impl ") {
            if let Ok(anonymous) = syn::parse_str::<syn::TypeImplTrait>(parameter) {
                add(&anonymous.bounds);
            }
            return bounds;
        }
        for generics in self.owner_generics().into_iter().chain([&self.signature.generics]) {
            let declared = generics.type_params().filter(|declared| declared.ident == parameter);
            declared.for_each(|declared| add(&declared.bounds));
            for predicate in generics.where_clause.iter().flat_map(|clause| &clause.predicates) {
                if let syn::WherePredicate::Type(predicate) = predicate
                    && matches!(&predicate.bounded_ty, syn::Type::Path(path) if path.path.is_ident(parameter))
                {
                    add(&predicate.bounds);
                }
            }
        }
        bounds
    }

    /// The bounds of a type in its head, where that is one of its generic parameters, its impl's included, or `impl Trait`.
    pub(crate) fn bounds_of_type(&self, ty: &syn::Type) -> Option<Vec<syn::Path>> {
        match ty {
            syn::Type::ImplTrait(anonymous) => Some(traits_of(&anonymous.bounds)),
            syn::Type::Path(path) if path.qself.is_none() => {
                let name = path.path.get_ident()?;
                self.is_generic(ty).then(|| self.bounds_of(&name.to_string()))
            }
            _ => None,
        }
    }

    /// Whether a type in its head is one of its generic parameters, its impl's or trait's included, or `impl Trait`.
    pub fn is_generic(&self, ty: &syn::Type) -> bool {
        match ty {
            syn::Type::Paren(inner) => self.is_generic(&inner.elem),
            syn::Type::Group(inner) => self.is_generic(&inner.elem),
            syn::Type::ImplTrait(_) => true,
            syn::Type::Path(path) => {
                path.qself.is_none()
                    && path.path.get_ident().is_some_and(|name| {
                        let lists = self.owner_generics().into_iter().chain([&self.signature.generics]);
                        lists.flat_map(syn::Generics::type_params).any(|parameter| parameter.ident == *name)
                    })
            }
            _ => false,
        }
    }

    /// The panic on purpose that stands at a line, the innermost one.
    pub fn assert_at(&self, line: u32) -> Option<&Assert> {
        let at = |assert: &&Assert| (assert.lines.0..=assert.lines.1).contains(&line);
        self.asserts.iter().filter(at).min_by_key(|assert| assert.lines.1 - assert.lines.0)
    }

    /// Whether a panic at `line` merely asserts on the function's own arguments. One that nothing stands before asserts
    /// on less.
    pub fn asserts_on_arguments_at(&self, line: u32) -> bool {
        let always = self.returns != Returns::Maybe;
        self.assert_at(line).is_some_and(|assert| assert.only_arguments || always)
    }
}

/// The first line of a function's head, its attributes left out.
pub(super) fn head_line(
    visibility: &syn::Visibility,
    modifiers: &syn::FnModifiers,
    signature: &Signature,
) -> u32 {
    let visibility = match visibility {
        syn::Visibility::Public(token) => Some(token.span.start().line),
        syn::Visibility::Restricted(restricted) => Some(restricted.pub_token.span.start().line),
        syn::Visibility::Inherited => None,
    };
    let lines = [
        visibility,
        modifiers.defaultness.map(|t| t.span.start().line),
        signature.constness.map(|t| t.span.start().line),
        signature.asyncness.map(|t| t.span.start().line),
        match &signature.safety {
            syn::Safety::Unsafe(token) => Some(token.span.start().line),
            syn::Safety::Safe(token) => Some(token.span.start().line),
            syn::Safety::Default => None,
        },
        signature.abi.as_ref().map(|abi| abi.extern_token.span.start().line),
    ];
    lines.into_iter().flatten().min().unwrap_or(signature.fn_token.span.start().line) as u32
}

/// Names that a function's parameters bind.
fn parameter_names(signature: &Signature) -> Vec<String> {
    struct Bindings(Vec<String>);
    impl<'ast> Visit<'ast> for Bindings {
        fn visit_pat_ident(&mut self, pattern: &'ast syn::PatIdent) {
            self.0.push(pattern.ident.to_string());
            visit::visit_pat_ident(self, pattern);
        }
    }
    let mut bindings = Bindings(vec!["self".to_owned()]);
    for input in &signature.inputs {
        if let FnArg::Typed(argument) = input {
            bindings.visit_pat(&argument.pat);
        }
    }
    bindings.0
}

/// The panics on purpose of a body; those of nested items belong to these.
pub(super) fn asserts(signature: &Signature, body: &Block) -> Vec<Assert> {
    let mut finder =
        AssertFinder { parameters: parameter_names(signature), conditions: Vec::new(), found: Vec::new() };
    finder.visit_block(body);
    finder.found
}

struct AssertFinder {
    parameters: Vec<String>,
    /// Of each `if` and `match` around: whether it looks at parameters only.
    conditions: Vec<bool>,
    found: Vec<Assert>,
}

impl AssertFinder {
    /// Whether tokens name parameters, and no other variable. Names in upper case (constants, types), paths,
    /// calls, fields, methods and format strings are no variables.
    fn only_arguments(&self, tokens: TokenStream) -> bool {
        let (mut mentioned, mut other) = (false, false);
        self.scan(tokens, &mut mentioned, &mut other, 0);
        mentioned && !other
    }

    fn scan(&self, tokens: TokenStream, mentioned: &mut bool, other: &mut bool, depth: u32) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let punct =
            |at: Option<&TokenTree>, c: char| matches!(at, Some(TokenTree::Punct(p)) if p.as_char() == c);
        for (index, token) in tokens.iter().enumerate() {
            match token {
                TokenTree::Group(group) if depth < 64 => {
                    self.scan(group.stream(), mentioned, other, depth + 1);
                }
                TokenTree::Ident(ident) => {
                    let name = ident.to_string();
                    let before = index.checked_sub(1).and_then(|i| tokens.get(i));
                    let before_that = index.checked_sub(2).and_then(|i| tokens.get(i));
                    let field = punct(before, '.') && !punct(before_that, '.');
                    let path = punct(before, ':') && punct(before_that, ':')
                        || punct(tokens.get(index + 1), ':') && punct(tokens.get(index + 2), ':');
                    let called = matches!(tokens.get(index + 1), Some(TokenTree::Group(g))
                        if g.delimiter() == proc_macro2::Delimiter::Parenthesis)
                        || punct(tokens.get(index + 1), '!') && !punct(tokens.get(index + 2), '=');
                    let variable =
                        name.starts_with(|c: char| c.is_lowercase() || c == '_') && !is_no_variable(&name);
                    if self.parameters.contains(&name) && !field && !path {
                        *mentioned = true;
                    } else if variable && !field && !path && !called {
                        *other = true;
                    }
                }
                _ => {}
            }
        }
    }

    fn condition(&self, condition: &Expr) -> bool {
        // `if let P = argument`: what the pattern binds is no argument, but is not tested either.
        let tested = match condition {
            Expr::Let(binding) => &binding.expr,
            other => other,
        };
        self.only_arguments(quote::ToTokens::to_token_stream(tested))
    }

    fn add(&mut self, name: String, lines: (u32, u32), only_arguments: bool) {
        self.found.push(Assert { name, lines, only_arguments });
    }
}

/// Keywords, `_` and primitive types: words in lower case that name no variable.
fn is_no_variable(name: &str) -> bool {
    matches!(name, "as" | "if" | "else" | "match" | "let" | "mut" | "ref" | "true" | "false" | "in" | "move")
        || matches!(
            name,
            "u8" | "u16" | "u32" | "u64" | "u128" | "usize" | "bool" | "char" | "str" | "f32" | "f64"
        )
        || matches!(name, "i8" | "i16" | "i32" | "i64" | "i128" | "isize" | "_" | "crate" | "super")
}

impl<'ast> Visit<'ast> for AssertFinder {
    fn visit_item(&mut self, _: &'ast syn::Item) {}

    fn visit_expr_if(&mut self, branch: &'ast ExprIf) {
        let own = self.condition(&branch.cond);
        self.visit_expr(&branch.cond);
        self.conditions.push(own);
        self.visit_block(&branch.then_branch);
        if let Some((_, otherwise)) = &branch.else_branch {
            self.visit_expr(otherwise);
        }
        self.conditions.pop();
    }

    fn visit_expr_match(&mut self, choice: &'ast ExprMatch) {
        let own = self.condition(&choice.expr);
        self.visit_expr(&choice.expr);
        self.conditions.push(own);
        for arm in &choice.arms {
            self.visit_arm(arm);
        }
        self.conditions.pop();
    }

    fn visit_macro(&mut self, invocation: &'ast Macro) {
        let Some(last) = invocation.path.segments.last() else { return };
        let name = last.ident.to_string();
        let start = last.ident.span().start().line as u32;
        let lines = (start, invocation.delimiter.span().close().end().line as u32);
        let only_arguments = match name.as_str() {
            "assert" | "debug_assert" => self.only_arguments(first_arguments(&invocation.tokens, 1)),
            "assert_eq" | "assert_ne" | "debug_assert_eq" | "debug_assert_ne" => {
                self.only_arguments(first_arguments(&invocation.tokens, 2))
            }
            "panic" | "unreachable" | "unimplemented" | "todo" => {
                self.conditions.last().copied().unwrap_or(false)
            }
            _ => return,
        };
        self.add(name, lines, only_arguments);
    }

    fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
        let name = call.method.to_string();
        if matches!(name.as_str(), "unwrap" | "expect" | "unwrap_err" | "expect_err") {
            let only_arguments = self.only_arguments(quote::ToTokens::to_token_stream(&call.receiver));
            let lines =
                (call.method.span().start().line as u32, call.paren_token.span.close().end().line as u32);
            self.add(name, lines, only_arguments);
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_pat(&mut self, _: &'ast Pat) {}
}

/// The first `count` arguments of a macro, so without the message.
fn first_arguments(tokens: &TokenStream, count: usize) -> TokenStream {
    let mut left = count;
    tokens
        .clone()
        .into_iter()
        .take_while(|token| {
            if matches!(token, TokenTree::Punct(p) if p.as_char() == ',') {
                left = left.saturating_sub(1);
            }
            left > 0
        })
        .collect()
}
