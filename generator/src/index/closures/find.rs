//! Where a closure is written. rustc numbers the closures and async blocks of a body in the order of its text, those within
//! another one anew; debug info has the line too. In: path and line. Out: the expression, and what its place has in scope.

use std::collections::{BTreeMap, BTreeSet};

use relapse_snapshot::ClosureText;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use crate::index::ids::{ModuleId, plain};
use crate::index::{FunctionItem, SourceIndex};

use super::super::macro_text;
use super::generics::Concrete;

/// A closure as it is written.
pub(super) struct Written {
    pub(super) closure: syn::ExprClosure,
    /// The module that its function stands in.
    pub(super) module: ModuleId,
    pub(super) locals: Locals,
    pub(super) concrete: Concrete,
}

/// What the functions around a closure have in scope beside their variables.
#[derive(Debug, Default)]
pub(super) struct Locals {
    /// Names that mean nothing at any other place, and what they are.
    pub(super) only_here: BTreeMap<String, &'static str>,
    /// What a `use` within a body brings, with its path.
    pub(super) imports: BTreeMap<String, Vec<String>>,
    /// All variables.
    pub(super) variables: BTreeSet<String>,
    /// Variables that are declared `mut`.
    pub(super) mutable: BTreeSet<String>,
    /// A glob within a body.
    pub(super) has_glob: bool,
}

/// A closure or async block in a body.
#[derive(Default)]
struct Node {
    line: u32,
    /// `None`: an async block, or the body itself.
    closure: Option<syn::ExprClosure>,
    within: Vec<Node>,
}

/// The closure whose type has that name.
pub(super) fn closure(index: &SourceIndex, name: &str, text: &ClosureText) -> Result<Written, String> {
    let krate = name.split("::").next().unwrap_or_default();
    let (file, line) = (text.at.file.as_str(), text.at.line);
    let around = index.enclosing(file, line, krate);
    let Some(&function) = around.iter().find(|function| function.crate_name == krate) else {
        return Err(format!("is written at {file}:{line}, where no function of the workspace is found"));
    };
    let Some(parsed) = index.parsed(file) else { return Err(format!("is in {file}, which cannot be read")) };
    let mut finder =
        Functions { line, name_line: function.name_line, found: None, locals: Locals::default() };
    finder.visit_file(&parsed);
    let Some(block) = finder.found else {
        return Err(format!("is in a function that a macro makes ({file}:{line})"));
    };
    let mut locals = finder.locals;
    locals.add_generics(function);
    let is_own =
        |name: &str| locals.only_here.contains_key(name) || index.defines_macro(function.module.krate, name);
    let mut closures = Closures::new(&is_own);
    closures.visit_block(&block);
    let mut path = ordinals(name);
    // The body of an async function is the first closure in it to the compiler.
    if function.is_async() && !path.is_empty() {
        path.remove(0);
    }
    let found = pick(&closures.root, &path, line, closures.opaque);
    let closure = found.ok_or_else(|| format!("is not found at {file}:{line}: the source has changed"))?;
    if closure.asyncness.is_some() {
        return Err("is async".to_owned());
    }
    let closure = closure.clone();
    let concrete = Concrete::of(function, name);
    Ok(Written { closure, module: function.module, locals, concrete })
}

/// What a function and those around it have in scope.
pub(super) fn locals(function: &FunctionItem, file: &syn::File) -> Locals {
    let line = function.body_lines.0;
    let mut finder =
        Functions { line, name_line: function.name_line, found: None, locals: Locals::default() };
    finder.visit_file(file);
    finder.locals.add_generics(function);
    finder.locals
}

/// The numbers in a closure's path: 9 and 0 for `demo::main::{closure#9}::{closure_env#0}`.
fn ordinals(name: &str) -> Vec<usize> {
    let path = name.split('<').next().unwrap_or_default();
    let number = |segment: &str| {
        let inner = segment.strip_prefix('{')?.strip_suffix('}')?;
        let (kind, number) = inner.split_once('#')?;
        let is_body = kind.starts_with("closure") || kind.starts_with("async");
        number.parse().ok().filter(|_| is_body)
    };
    path.split("::").filter_map(number).collect()
}

/// The closure at these numbers. A macro that was not understood may hold others, which have numbers too: then the
/// line alone must tell.
fn pick<'n>(root: &'n Node, path: &[usize], line: u32, opaque: bool) -> Option<&'n syn::ExprClosure> {
    let (last, outer) = path.split_last()?;
    let parent = outer.iter().try_fold(root, |node, number| node.within.get(*number));
    let on_line = |node: &&Node| node.line == line && node.closure.is_some();
    if let Some(parent) = parent
        && let Some(node) = parent.within.get(*last).filter(on_line)
        && (!opaque || parent.within.iter().filter(on_line).count() == 1)
    {
        return node.closure.as_ref();
    }
    let mut at_depth = vec![root];
    for _ in path {
        at_depth = at_depth.into_iter().flat_map(|node| &node.within).collect();
    }
    let mut candidates = at_depth.into_iter().filter(on_line);
    let only = candidates.next().filter(|_| candidates.next().is_none())?;
    only.closure.as_ref()
}

/// Finds the function by the line of its `fn`, and what is declared in the bodies around a line.
struct Functions {
    line: u32,
    name_line: u32,
    found: Option<syn::Block>,
    locals: Locals,
}

impl Functions {
    fn function(&mut self, signature: &syn::Signature, block: &syn::Block) {
        let braces = block.brace_token.span;
        let lines = braces.open().start().line as u32..=braces.close().end().line as u32;
        let head = signature.fn_token.span.start().line as u32;
        if !lines.contains(&self.line) {
            return;
        }
        if head == self.name_line {
            self.found = Some(block.clone());
        }
        let mut items = Items(&mut self.locals);
        items.visit_signature(signature);
        items.visit_block(block);
    }
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.function(&function.sig, &function.block);
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.function(&function.sig, &function.block);
        visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast syn::TraitItemFn) {
        if let Some(block) = &function.default {
            self.function(&function.sig, block);
        }
        visit::visit_trait_item_fn(self, function);
    }
}

/// Items within bodies: they are in scope in the whole of it.
struct Items<'l>(&'l mut Locals);

impl<'ast> Visit<'ast> for Items<'_> {
    fn visit_pat_ident(&mut self, binding: &'ast syn::PatIdent) {
        if binding.mutability.is_some() {
            self.0.mutable.insert(plain(&binding.ident));
        }
        self.0.variables.insert(plain(&binding.ident));
        visit::visit_pat_ident(self, binding);
    }

    fn visit_item(&mut self, item: &'ast syn::Item) {
        const LOCAL: &str = "declared within the function around it";
        let name = match item {
            syn::Item::Fn(item) => &item.sig.ident,
            syn::Item::Struct(item) => &item.ident,
            syn::Item::Enum(item) => &item.ident,
            syn::Item::Union(item) => &item.ident,
            syn::Item::Const(item) => &item.ident,
            syn::Item::Static(item) => &item.ident,
            syn::Item::Type(item) => &item.ident,
            syn::Item::Trait(item) => &item.ident,
            syn::Item::Mod(item) => &item.ident,
            syn::Item::Macro(item) => match &item.ident {
                Some(name) => name,
                None => return,
            },
            syn::Item::Use(item) => {
                let mut path = Vec::new();
                if item.leading_colon.is_none() {
                    import(&item.tree, &mut path, self.0);
                }
                return;
            }
            _ => return,
        };
        self.0.only_here.insert(plain(name), LOCAL);
    }
}

fn import(tree: &syn::UseTree, path: &mut Vec<String>, locals: &mut Locals) {
    match tree {
        syn::UseTree::Path(step) => {
            path.push(plain(&step.ident));
            import(&step.tree, path, locals);
            path.pop();
        }
        syn::UseTree::Name(name) => {
            let name = plain(&name.ident);
            let (own, full) = match (name.as_str(), path.last()) {
                ("self", Some(last)) => (last.clone(), path.clone()),
                _ => (name.clone(), path.iter().cloned().chain([name]).collect()),
            };
            locals.imports.insert(own, full);
        }
        syn::UseTree::Rename(rename) => {
            let full = path.iter().cloned().chain([plain(&rename.ident)]).collect();
            locals.imports.insert(plain(&rename.rename), full);
        }
        syn::UseTree::Glob(_) => locals.has_glob = true,
        syn::UseTree::Group(group) => group.items.iter().for_each(|tree| import(tree, path, locals)),
    }
}

/// Collects the closures of one body, as rustc numbers them.
struct Closures<'o> {
    /// Whether a macro of that name may be another one than std's.
    is_own: &'o dyn Fn(&str) -> bool,
    root: Node,
    /// Where in the tree the visit is.
    open: Vec<Node>,
    /// Something was met of which nothing tells whether its closures count: a macro whose text does not read as
    /// expressions, or a condition, for rustc does not number what it leaves out.
    opaque: bool,
}

impl<'o> Closures<'o> {
    fn new(is_own: &'o dyn Fn(&str) -> bool) -> Self {
        Closures { is_own, root: Node::default(), open: Vec::new(), opaque: false }
    }

    fn node(&mut self, node: Node, within: impl FnOnce(&mut Self)) {
        self.open.push(node);
        within(self);
        if let Some(done) = self.open.pop() {
            self.open.last_mut().unwrap_or(&mut self.root).within.push(done);
        }
    }
}

impl<'ast> Visit<'ast> for Closures<'_> {
    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        self.opaque |= attribute.path().is_ident("cfg") || attribute.path().is_ident("cfg_attr");
    }

    fn visit_expr_closure(&mut self, closure: &'ast syn::ExprClosure) {
        let line = first_line(closure);
        let node = Node { line, closure: Some(closure.clone()), within: Vec::new() };
        self.node(node, |this| {
            if closure.asyncness.is_some() {
                this.node(Node::default(), |this| visit::visit_expr_closure(this, closure));
            } else {
                visit::visit_expr_closure(this, closure);
            }
        });
    }

    fn visit_expr_async(&mut self, block: &'ast syn::ExprAsync) {
        self.node(Node::default(), |this| visit::visit_expr_async(this, block));
    }

    fn visit_macro(&mut self, invocation: &'ast syn::Macro) {
        let is_own = |name: String| (self.is_own)(&name);
        match macro_text::expressions(invocation) {
            Some(expressions) if !macro_text::name(invocation).is_some_and(is_own) => {
                // Their closures are kept as copies, so that the tree may outlive them.
                for expression in &expressions {
                    Visit::visit_expr(self, expression);
                }
            }
            _ => self.opaque = true,
        }
    }

    /// What an item within the body holds is numbered by that.
    fn visit_item(&mut self, _: &'ast syn::Item) {}

    fn visit_expr_const(&mut self, _: &'ast syn::ExprConst) {}
}

/// The line of a closure's first token, its attributes left out.
fn first_line(closure: &syn::ExprClosure) -> u32 {
    let begin = closure.inputs_begin.span();
    let spans = [
        closure.lifetimes.as_ref().map(|l| l.for_token.span),
        closure.constness.map(|t| t.span),
        closure.asyncness.map(|t| t.span),
        closure.capture.map(|t| t.span),
    ];
    spans.into_iter().flatten().next().unwrap_or(begin).start().line as u32
}

impl Locals {
    fn add_generics(&mut self, function: &FunctionItem) {
        let generics = [Some(&function.signature.generics), function.owner_generics()];
        for parameter in generics.into_iter().flatten().flat_map(|generics| &generics.params) {
            let name = match parameter {
                syn::GenericParam::Type(parameter) => plain(&parameter.ident),
                syn::GenericParam::Const(parameter) => plain(&parameter.ident),
                syn::GenericParam::Lifetime(_) => continue,
            };
            self.only_here.insert(name, "a generic parameter of the function around it");
        }
    }

    /// What a name is that means nothing elsewhere.
    pub(super) fn hides(&self, name: &str) -> Option<&'static str> {
        self.only_here.get(name).copied()
    }

    /// All names that are known here only.
    #[cfg(test)]
    pub(super) fn names(&self) -> BTreeSet<&str> {
        self.only_here.keys().map(String::as_str).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn closures(body: &str) -> Closures<'static> {
        let block: syn::Block = syn::parse_str(body).unwrap();
        let mut closures = Closures::new(&|name| name == "assert");
        closures.visit_block(&block);
        closures
    }

    fn text(found: Option<&syn::ExprClosure>) -> Option<String> {
        found.map(|closure| quote::quote!(#closure).to_string())
    }

    #[test]
    fn closures_are_numbered_as_rustc_numbers_them() {
        let found = closures(
            "{ a(|x| b(|y| y), 1); println!(\"{}\", c(|z| z)); async { d(|w| w) }; fn g() { h(|v| v) } e(|u| u) }",
        );
        assert_eq!(ordinals("demo::main::{closure#9}::{closure_env#0}"), [9, 0]);
        assert_eq!(ordinals("demo::{impl#3}::run::{closure_env#1}<u8>"), [1]);
        let at = |path: &[usize]| text(pick(&found.root, path, 1, found.opaque));
        assert_eq!(at(&[0, 0]).as_deref(), Some("| y | y"));
        assert_eq!(at(&[1]).as_deref(), Some("| z | z"));
        assert_eq!(at(&[2, 0]).as_deref(), Some("| w | w"));
        assert_eq!(at(&[3]).as_deref(), Some("| u | u"));
        assert_eq!(at(&[4]), None);
    }

    #[test]
    fn a_macro_that_is_not_understood_leaves_it_to_the_line() {
        let found = closures("{ odd!(|x| => x);\n a(|y| y);\n b(|z| z).c(|w| w); }");
        assert!(found.opaque);
        let at = |path: &[usize], line| text(pick(&found.root, path, line, found.opaque));
        assert_eq!(at(&[1], 2).as_deref(), Some("| y | y"), "alone on its line");
        assert_eq!(at(&[1], 3), None, "which of two, nobody knows");
    }

    #[test]
    fn what_may_be_left_out_leaves_it_to_the_line() {
        for body in [
            "{ #[cfg(windows)] let f = |x| x;\n a(|y| y); b(|z| z); }",
            "{ #[cfg_attr(windows, cfg(no))] { a(|x| x); }\n a(|y| y); b(|z| z); }",
            "{ match v { #[cfg(windows)] 1 => a(|x| x), _ => 0 };\n a(|y| y); b(|z| z); }",
            "{ assert!(a(|x| x));\n a(|y| y); b(|z| z); }",
        ] {
            let found = closures(body);
            assert_eq!(text(pick(&found.root, &[1], 2, found.opaque)), None, "{body}");
        }
    }

    #[test]
    fn what_a_body_declares_is_known_there_only() {
        let file: syn::File =
            syn::parse_str("fn f() { use a::{b, c as d, e::*}; struct S; fn g() {} h(|x| x) }").unwrap();
        let mut finder = Functions { line: 1, name_line: 1, found: None, locals: Locals::default() };
        finder.visit_file(&file);
        let locals = finder.locals;
        assert_eq!(locals.names().into_iter().collect::<Vec<_>>(), ["S", "g"]);
        assert_eq!(locals.imports["b"], ["a", "b"]);
        assert_eq!(locals.imports["d"], ["a", "c"]);
        assert!(locals.has_glob);
    }
}
