//! What a function's body reads beside its arguments, as far as its text tells: the clock, chance, the environment,
//! the working folder, statics. Cheap facts for a reason why a crash does not come back; nothing is decided by them.

use std::collections::BTreeSet;
use std::fmt;

use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{Block, Expr, ExprCall, ExprForLoop, ExprMethodCall, ExprPath, Lit, Local, Pat, Token, Type};

/// Something that a body reads.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reads {
    /// The time.
    Clock,
    /// Random numbers.
    Chance,
    /// A variable of the environment, by its name where that is a literal.
    Environment(Option<String>),
    /// The working folder.
    WorkingFolder,
    /// Something with the name of a static or constant; which of them only the index knows.
    Upper(String),
    /// A static of the thread.
    ThreadLocal(String),
    /// The words that the program was called with.
    Arguments,
    /// Standard input.
    StandardInput,
    /// The number of the process.
    ProcessId,
    /// The order of a map or set that has another in each run.
    Order,
}

impl Reads {
    /// Whether it is another thing in each run.
    pub fn is_chance(&self) -> bool {
        matches!(self, Reads::Clock | Reads::Chance | Reads::ProcessId | Reads::Order)
    }

    /// Whether a test gets something else of it than the crashed program, or in each run, and nothing can be done
    /// about that. What a test can be given was looked for; whether a static can change is told by
    /// [`super::SourceIndex::is_state`].
    pub fn differs(&self) -> bool {
        self.is_chance() || matches!(self, Reads::Arguments | Reads::StandardInput)
    }
}

/// Types whose `now` is the time: of std, chrono, jiff, time.
const CLOCKS: [&str; 8] =
    ["Instant", "SystemTime", "Utc", "Local", "Timestamp", "Zoned", "OffsetDateTime", "UtcDateTime"];
/// Functions that give random numbers: of rand, fastrand, getrandom.
const CHANCES: [&str; 6] = ["thread_rng", "random", "getrandom", "from_entropy", "from_os_rng", "fastrand"];

impl fmt::Display for Reads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reads::Clock => f.write_str("reads the clock"),
            Reads::Chance => f.write_str("uses random numbers"),
            Reads::Environment(Some(name)) => write!(f, "reads the environment variable {name}"),
            Reads::Environment(None) => f.write_str("reads the environment"),
            Reads::WorkingFolder => f.write_str("reads the working folder"),
            Reads::Upper(name) | Reads::ThreadLocal(name) => {
                write!(f, "reads the static {name}, which a test does not set")
            }
            Reads::Arguments => f.write_str("reads the program's arguments, which a test does not have"),
            Reads::StandardInput => f.write_str("reads standard input"),
            Reads::ProcessId => f.write_str("reads the number of its process"),
            Reads::Order => f.write_str("goes by the order of a HashMap or HashSet, another in each run"),
        }
    }
}

/// What a body reads, and the names of what it calls: a function by its path, a method of its own value.
#[derive(Debug, Default)]
pub(super) struct Surroundings {
    pub(super) reads: BTreeSet<Reads>,
    pub(super) calls: BTreeSet<String>,
}

/// What a body reads and calls.
pub(super) fn surroundings(body: &Block) -> Surroundings {
    let mut finder = Finder::default();
    finder.visit_block(body);
    finder.found
}

#[derive(Default)]
struct Finder {
    found: Surroundings,
    /// Variables that hold a map or set whose order is another in each run.
    unordered: BTreeSet<String>,
}

/// Maps and sets whose order is another in each run.
const UNORDERED: [&str; 2] = ["HashMap", "HashSet"];
/// Methods that go through all that a map or set holds.
const GOES_THROUGH: [&str; 10] = [
    "iter",
    "iter_mut",
    "into_iter",
    "keys",
    "values",
    "values_mut",
    "into_keys",
    "into_values",
    "drain",
    "retain",
];

impl Finder {
    fn called(&mut self, names: &[String], first: Option<&Expr>) {
        let last = names.last().map_or("", String::as_str);
        let owner = names.len().checked_sub(2).map_or("", |at| names[at].as_str());
        let text = first.and_then(|argument| match argument {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Str(text) => Some(text.value()),
                _ => None,
            },
            _ => None,
        });
        match (owner, last) {
            ("env", "var" | "var_os") => drop(self.found.reads.insert(Reads::Environment(text))),
            ("env", "vars" | "vars_os") => drop(self.found.reads.insert(Reads::Environment(None))),
            ("env", "current_dir") => drop(self.found.reads.insert(Reads::WorkingFolder)),
            (owner, last) if last.starts_with("now") && CLOCKS.contains(&owner) => {
                self.found.reads.insert(Reads::Clock);
            }
            (owner, last)
                if CHANCES.contains(&last)
                    || CHANCES.contains(&owner)
                    || (owner, last) == ("rand", "rng") =>
            {
                self.found.reads.insert(Reads::Chance);
            }
            ("env", "args" | "args_os") => drop(self.found.reads.insert(Reads::Arguments)),
            ("io" | "", "stdin") => drop(self.found.reads.insert(Reads::StandardInput)),
            ("process", "id") => drop(self.found.reads.insert(Reads::ProcessId)),
            ("RandomState", "new" | "default") => drop(self.found.reads.insert(Reads::Order)),
            _ => {}
        }
        if last.starts_with(|c: char| c.is_lowercase() || c == '_') {
            self.found.calls.insert(last.to_owned());
        }
    }

    /// Whether an expression is a variable of an order that is another in each run.
    fn is_unordered(&self, expression: &Expr) -> bool {
        match expression {
            Expr::Reference(inner) => self.is_unordered(&inner.expr),
            Expr::Paren(inner) => self.is_unordered(&inner.expr),
            Expr::Path(path) => {
                path.path.get_ident().is_some_and(|name| self.unordered.contains(&name.to_string()))
            }
            _ => false,
        }
    }
}

/// Whether a type is such a map or set, with the hasher of std.
fn is_unordered_type(path: &syn::Path) -> bool {
    let Some(last) = path.segments.last().filter(|last| UNORDERED.iter().any(|name| last.ident == name))
    else {
        return false;
    };
    let most = if last.ident == "HashMap" { 2 } else { 1 };
    match &last.arguments {
        syn::PathArguments::AngleBracketed(arguments) => arguments.args.len() <= most,
        _ => true,
    }
}

/// Whether an expression makes one: `HashMap::new()`, `….collect::<HashSet<_>>()`.
fn makes_unordered(expression: &Expr) -> bool {
    match expression {
        Expr::Call(call) => match &*call.func {
            Expr::Path(function) => {
                let mut owner = function.path.clone();
                let method = owner.segments.pop().map(|last| last.ident.to_string());
                owner.segments.pop_punct();
                let of_std = ["new", "with_capacity", "from", "from_iter", "default"];
                method.is_some_and(|method| of_std.contains(&method.as_str())) && is_unordered_type(&owner)
            }
            _ => false,
        },
        Expr::MethodCall(call) => call.turbofish.iter().flat_map(|turbofish| &turbofish.args).any(
            |argument| matches!(argument, syn::GenericArgument::Type(Type::Path(path)) if is_unordered_type(&path.path)),
        ),
        _ => false,
    }
}

impl<'ast> Visit<'ast> for Finder {
    fn visit_item(&mut self, _: &'ast syn::Item) {}

    /// `assert!(…)`, `println!(…)` and the like take expressions.
    fn visit_macro(&mut self, invocation: &'ast syn::Macro) {
        let arguments = Punctuated::<Expr, Token![,]>::parse_terminated;
        for argument in invocation.parse_body_with(arguments).into_iter().flatten() {
            Visit::visit_expr(self, &argument);
        }
    }

    fn visit_expr_call(&mut self, call: &'ast ExprCall) {
        if let Expr::Path(function) = &*call.func {
            let names: Vec<String> = function.path.segments.iter().map(|s| s.ident.to_string()).collect();
            self.called(&names, call.args.first());
        }
        visit::visit_expr_call(self, call);
    }

    fn visit_local(&mut self, local: &'ast Local) {
        let (name, is_typed) = match &local.pat {
            Pat::Type(typed) => {
                let is_typed = matches!(&*typed.ty, Type::Path(path) if is_unordered_type(&path.path));
                (&*typed.pat, is_typed)
            }
            name => (name, false),
        };
        if let Pat::Ident(name) = name
            && (is_typed || local.init.as_ref().is_some_and(|init| makes_unordered(&init.expr)))
        {
            self.unordered.insert(name.ident.to_string());
        }
        visit::visit_local(self, local);
    }

    fn visit_expr_for_loop(&mut self, through: &'ast ExprForLoop) {
        if self.is_unordered(&through.expr) {
            self.found.reads.insert(Reads::Order);
        }
        visit::visit_expr_for_loop(self, through);
    }

    fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
        let method = call.method.to_string();
        if GOES_THROUGH.contains(&method.as_str()) && self.is_unordered(&call.receiver) {
            self.found.reads.insert(Reads::Order);
        }
        if matches!(&*call.receiver, Expr::Path(path) if path.path.is_ident("self")) {
            self.found.calls.insert(method);
        }
        if let Expr::Path(receiver) = &*call.receiver
            && call.method.to_string().starts_with("with")
            && let Some(name) = receiver.path.segments.last().map(|last| last.ident.to_string())
            && is_upper(&name)
        {
            self.found.reads.insert(Reads::ThreadLocal(name));
            call.args.iter().for_each(|argument| self.visit_expr(argument));
            return;
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_expr_path(&mut self, path: &'ast ExprPath) {
        if let Some(last) = path.path.segments.last() {
            let name = last.ident.to_string();
            if is_upper(&name) {
                self.found.reads.insert(Reads::Upper(name));
            }
        }
    }
}

fn is_upper(name: &str) -> bool {
    name.len() > 1 && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(body: &str) -> Vec<Reads> {
        let found = surroundings(&syn::parse_str(&format!("{{ {body} }}")).unwrap());
        found.reads.into_iter().collect()
    }

    #[test]
    fn what_a_program_has_and_a_test_has_not_is_seen() {
        assert_eq!(of("env::args().any(|a| a == \"-x\"); std::env::args_os()"), [Reads::Arguments]);
        assert_eq!(of("io::stdin().read_line(&mut s); read_to_string(stdin())"), [Reads::StandardInput]);
        assert_eq!(of("std::process::id() % 3; parser.id(); node::id()"), [Reads::ProcessId]);
    }

    #[test]
    fn a_map_whose_order_is_gone_by_is_told_from_one_that_is_asked() {
        for body in [
            "let m: HashMap<u32, u32> = f(); m.keys().next()",
            "let mut m = std::collections::HashSet::new(); m.insert(1); for x in &m { g(x) }",
            "let m = v.iter().collect::<HashMap<_, _>>(); m.into_iter().max()",
            "let s = RandomState::new(); s.hash_one(1)",
        ] {
            assert_eq!(of(body), [Reads::Order], "{body}");
        }
        for body in [
            "let mut m = HashMap::new(); m.insert(1, 2); m.get(&1)",
            "let m: BTreeMap<u32, u32> = f(); m.keys().next()",
            "let m: HashMap<u32, u32, Fixed> = f(); m.keys().next()",
        ] {
            assert_eq!(of(body), [], "{body}");
        }
    }

    #[test]
    fn what_a_body_reads_is_seen_through_paths_and_calls() {
        assert_eq!(of("let t = std::time::Instant::now(); t.elapsed()"), [Reads::Clock]);
        assert_eq!(of("if Utc::now() > end { f(rand::rng()) }"), [Reads::Clock, Reads::Chance]);
        assert_eq!(
            of("let m = env::var(\"MODE\").ok(); std::env::var_os(name)"),
            [Reads::Environment(None), Reads::Environment(Some("MODE".into()))]
        );
        assert_eq!(
            of("COUNT.load(Relaxed) + x::LIMIT"),
            [Reads::Upper("COUNT".into()), Reads::Upper("LIMIT".into())]
        );
        assert_eq!(
            of("assert!(x < MOST, \"{}\", Instant::now())"),
            [Reads::Clock, Reads::Upper("MOST".into())]
        );
        assert_eq!(of("CURRENT.with(|c| c.get())"), [Reads::ThreadLocal("CURRENT".into())]);
        assert_eq!(of("parse(text, 5).now(); fn inner() { Instant::now(); }"), []);
    }
}
