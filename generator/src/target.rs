//! Which of the functions that reproduce a crash the test should call.
//!
//! A test must pass once the bug is fixed, and nobody knows yet where it will be fixed. The target is the
//! innermost function whose contract is *broken*; the reasons and the measurements stand in
//! docs/which-function.md. Pure: facts in, order out.

use serde::Serialize;

/// What is known of a function on the stack, for the choice.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Facts {
    /// Workspace frames between it and the innermost one; 0 is the innermost.
    pub frame: usize,
    /// It is a call of the recursion that took the stack, whose innermost call is this frame. How the recursion was begun
    /// is the input; which of its calls met the end of the stack is chance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recursion: Option<usize>,
    /// Code outside its crate can name and call it (re-exports followed).
    pub public: bool,
    /// It is a library's and written `pub`, and the function that called it is of another crate.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub called_from_outside: bool,
    /// It is a library's, and its arguments are what the program gave it: what called it is no library, or a function of which
    /// that holds has merely handed its own on. The other functions further in were given what libraries made.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub given_by_program: bool,
    /// Its crate is a program: nothing is public there, and what takes plain data counts instead.
    pub program: bool,
    /// All its arguments are plain data: std types and their combinations, no state of the program's own.
    pub plain_data: bool,
    /// Its documentation has a `# Panics` section.
    pub documents_panics: bool,
    /// It is `#[track_caller]`.
    pub track_caller: bool,
    /// The panic is raised in its own body, by an assertion that reads nothing but its parameters; or it merely
    /// passes its own arguments on to a function of which that holds.
    pub asserts_on_arguments: bool,
    /// It implements one of std's operators by that of a type of std, which panics as std documents: a wrapper promises no
    /// more than what it wraps.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub forwards_operator: bool,
    /// It is `unsafe`: its contract is the caller's to keep.
    pub is_unsafe: bool,
    /// An argument names a file outside of the workspace: the test would show the crash only where that file is.
    pub names_outside_file: bool,
    /// It is generated or run by a test harness: `main`, a `#[test]` function.
    pub entry_point: bool,
    /// No call of it comes back, and none was to be: its result is `!`, or it is `unreachable!`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub never_returns: bool,
}

impl Facts {
    /// Whether a crash below this function breaks the function's own promise: anybody may call it so, and
    /// nothing says that it would panic.
    pub fn breaks_contract(&self) -> bool {
        let reachable = self.is_public() || (self.program && self.plain_data);
        reachable && !self.blames_caller()
    }

    /// What is written `pub` and another crate has called is public, whatever the source seems to say: a macro or a condition
    /// may make it so. What is not may have been handed to that crate, as a function or behind a trait.
    fn is_public(&self) -> bool {
        self.public || self.called_from_outside
    }

    /// Whether it documents or asserts what its caller must keep.
    fn blames_caller(&self) -> bool {
        self.documents_panics
            || self.track_caller
            || self.asserts_on_arguments
            || self.forwards_operator
            || self.is_unsafe
    }

    /// Whether a test of it is taken only where no other function reproduces: an entry point is what a harness runs, and
    /// a test of what never returns can never pass.
    pub fn last_resort(&self) -> bool {
        self.entry_point || self.never_returns
    }

    /// Where it stands among those of its class: the innermost first, a recursion with its outermost call first.
    fn depth(&self) -> (usize, usize) {
        (
            self.recursion.unwrap_or(self.frame),
            if self.recursion.is_some() { usize::MAX - self.frame } else { 0 },
        )
    }

    /// A smaller number is a better target. Of the functions that break their contract, first those of a library
    /// that take plain data: a test that spells out a type's fields no longer builds when these change, and a fix
    /// may change them. Then those that are public but warn of the panic, then the rest. What needs a file that
    /// nobody else has comes late.
    fn class(&self) -> u8 {
        match self {
            facts if facts.never_returns => REST + 3,
            facts if facts.entry_point => REST + 2,
            facts if facts.names_outside_file => REST + 1,
            facts if facts.breaks_contract() && facts.is_public() && facts.plain_data => 0,
            facts if facts.breaks_contract() && facts.is_public() => WITH_STATE,
            facts if facts.breaks_contract() => 2,
            facts if facts.is_public() => 3,
            _ => REST,
        }
    }
}

/// The class of a library's functions that break their contract and take more than plain data.
const WITH_STATE: u8 = 1;
/// The class of private helpers.
const REST: u8 = 4;

/// An order of candidates, to be compared by `ci/bench/which_function.py`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ranking {
    /// The function in which the panic occurs first.
    Innermost,
    /// The function furthest out first.
    Outermost,
    /// The innermost public function first.
    Public,
    /// The innermost function whose contract is broken first.
    ContractBreaking,
    /// The same, but those that take plain data before those that need a type's fields: the one in use.
    #[default]
    PlainContract,
}

impl Ranking {
    /// The candidates in the order in which they are preferred, as indices into `facts`.
    pub fn order(self, facts: &[Facts]) -> Vec<usize> {
        let mut order: Vec<usize> = (0..facts.len()).collect();
        match self {
            Ranking::Innermost => order.sort_by_key(|&i| facts[i].frame),
            Ranking::Outermost => order.sort_by_key(|&i| usize::MAX - facts[i].frame),
            Ranking::Public => order.sort_by_key(|&i| (!facts[i].public, facts[i].frame)),
            Ranking::ContractBreaking | Ranking::PlainContract => order.sort_by_key(|&i| {
                let class = match (self, facts[i].class()) {
                    (Ranking::ContractBreaking, 0..3) => 0,
                    (_, class) => class,
                };
                // Those that name a file are among each other as they would be without it.
                let without_file = Facts { names_outside_file: false, ..facts[i].clone() }.class();
                let within = if class == REST + 1 { without_file } else { class };
                // Among private helpers the one furthest out is closest to a promise that somebody made.
                let depth = if within == REST { (usize::MAX - facts[i].frame, 0) } else { facts[i].depth() };
                // State that the library made may be what is wrong: then what it is given to cannot be right after the fix.
                let plain = self == Ranking::PlainContract;
                let made_within = plain && within == WITH_STATE && !facts[i].given_by_program;
                (class, within, made_within, depth)
            }),
        }
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(frame: usize) -> Facts {
        Facts { frame, ..Facts::default() }
    }

    #[test]
    fn innermost_public_function_that_promises_nothing_wins() {
        let facts = [
            at(0),
            Facts { public: true, documents_panics: true, ..at(1) },
            Facts { public: true, ..at(2) },
            Facts { public: true, ..at(3) },
        ];
        assert_eq!(Ranking::default().order(&facts), [2, 3, 1, 0]);
    }

    #[test]
    fn an_operator_that_is_stds_own_is_its_callers_business() {
        let public = |frame| Facts { public: true, ..at(frame) };
        let facts = [Facts { forwards_operator: true, ..public(0) }, public(1)];
        assert_eq!(Ranking::default().order(&facts), [1, 0]);
    }

    #[test]
    fn plain_data_is_preferred_to_a_types_fields() {
        let facts = [
            Facts { public: true, ..at(0) },
            Facts { public: true, plain_data: true, ..at(3) },
            Facts { program: true, plain_data: true, ..at(4) },
        ];
        assert_eq!(Ranking::default().order(&facts), [1, 0, 2]);
        assert_eq!(Ranking::ContractBreaking.order(&facts), [0, 1, 2]);
    }

    #[test]
    fn state_is_taken_as_the_program_gave_it() {
        let outside = |frame| Facts { public: true, given_by_program: true, ..at(frame) };
        let facts = [Facts { public: true, ..at(0) }, at(1), outside(2), Facts { program: true, ..at(3) }];
        assert_eq!(Ranking::default().order(&facts), [2, 0, 3, 1]);
        assert_eq!(Ranking::ContractBreaking.order(&facts), [0, 2, 3, 1]);
        let plain = Facts { public: true, plain_data: true, ..at(0) };
        assert_eq!(Ranking::default().order(&[plain, outside(1)]), [0, 1], "nobody made plain data wrong");
        let by_library = Facts { public: true, called_from_outside: true, ..at(0) };
        assert_eq!(Ranking::default().order(&[by_library, outside(1)]), [1, 0], "another library made it");
    }

    #[test]
    fn what_another_crate_has_called_is_public() {
        let called = Facts { called_from_outside: true, ..at(1) };
        let facts = [at(0), called, Facts { program: true, ..at(2) }];
        assert_eq!(Ranking::default().order(&facts), [1, 2, 0]);
    }

    #[test]
    fn private_helpers_are_tried_from_the_outside() {
        assert_eq!(Ranking::default().order(&[at(0), at(1), at(2)]), [2, 1, 0]);
    }

    #[test]
    fn plain_data_counts_only_in_a_program() {
        let plain = |program| Facts { plain_data: true, program, ..at(0) };
        assert!(plain(true).breaks_contract());
        assert!(!plain(false).breaks_contract());
    }

    #[test]
    fn a_file_that_nobody_else_has_makes_a_test_of_little_use() {
        let reads = |frame| Facts { public: true, plain_data: true, names_outside_file: true, ..at(frame) };
        let main = Facts { entry_point: true, ..at(3) };
        assert_eq!(Ranking::default().order(&[at(0), reads(1), reads(2), main]), [0, 1, 2, 3]);
        let helper = |frame| Facts { names_outside_file: true, ..at(frame) };
        assert_eq!(Ranking::default().order(&[helper(0), helper(1), reads(2)]), [2, 1, 0]);
    }

    #[test]
    fn a_recursion_is_called_as_it_was_begun() {
        let public = |frame, recursion| Facts { public: true, plain_data: true, recursion, ..at(frame) };
        let calls = [public(0, Some(0)), public(1, Some(0)), public(2, Some(0)), public(3, None)];
        assert_eq!(Ranking::default().order(&calls), [2, 1, 0, 3], "its caller comes after it, as anywhere");
        let helpers = [Facts { recursion: Some(0), ..at(0) }, Facts { recursion: Some(0), ..at(1) }];
        let calls = [helpers[0].clone(), helpers[1].clone(), public(2, None)];
        assert_eq!(Ranking::default().order(&calls), [2, 1, 0], "what is public goes before what is not");
        let inner = public(0, None);
        let calls = [inner, public(1, Some(1)), public(2, Some(1))];
        assert_eq!(Ranking::default().order(&calls), [0, 2, 1], "what it calls at its end is none of it");
    }

    #[test]
    fn an_entry_point_and_what_never_returns_are_the_last_resorts() {
        let never = Facts { never_returns: true, public: true, plain_data: true, ..at(0) };
        let facts = [never, Facts { entry_point: true, public: true, ..at(1) }, at(2)];
        assert_eq!(Ranking::default().order(&facts), [2, 1, 0]);
    }
}
