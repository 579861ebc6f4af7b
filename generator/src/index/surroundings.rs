//! What a function's body reads beside its arguments, as far as its text tells: the clock, chance, the environment,
//! the working folder, statics. Cheap facts for a reason why a crash does not come back; nothing is decided by them.

use std::collections::BTreeSet;
use std::fmt;

use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{Block, Expr, ExprCall, ExprMethodCall, ExprPath, Lit, Token};

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
        }
    }
}

/// What a body reads.
pub(super) fn reads(body: &Block) -> BTreeSet<Reads> {
    let mut finder = Finder(BTreeSet::new());
    finder.visit_block(body);
    finder.0
}

struct Finder(BTreeSet<Reads>);

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
            ("env", "var" | "var_os") => drop(self.0.insert(Reads::Environment(text))),
            ("env", "vars" | "vars_os") => drop(self.0.insert(Reads::Environment(None))),
            ("env", "current_dir") => drop(self.0.insert(Reads::WorkingFolder)),
            (owner, last) if last.starts_with("now") && CLOCKS.contains(&owner) => {
                self.0.insert(Reads::Clock);
            }
            (owner, last)
                if CHANCES.contains(&last)
                    || CHANCES.contains(&owner)
                    || (owner, last) == ("rand", "rng") =>
            {
                self.0.insert(Reads::Chance);
            }
            _ => {}
        }
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

    fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
        if let Expr::Path(receiver) = &*call.receiver
            && call.method.to_string().starts_with("with")
            && let Some(name) = receiver.path.segments.last().map(|last| last.ident.to_string())
            && is_upper(&name)
        {
            self.0.insert(Reads::ThreadLocal(name));
            call.args.iter().for_each(|argument| self.visit_expr(argument));
            return;
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_expr_path(&mut self, path: &'ast ExprPath) {
        if let Some(last) = path.path.segments.last() {
            let name = last.ident.to_string();
            if is_upper(&name) {
                self.0.insert(Reads::Upper(name));
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
        reads(&syn::parse_str(&format!("{{ {body} }}")).unwrap()).into_iter().collect()
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
