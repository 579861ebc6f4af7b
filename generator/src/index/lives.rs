//! Which of the calls that were seen belong to which value of a type. A call names the place that its receiver had, and a
//! value may be moved between two of them: then the place is another one. In: the calls, oldest first. Out: values, the
//! likeliest first. What several values make unclear is said to be so.

use std::ops::Range;

/// What a call is to the values of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Does {
    /// It makes one.
    Begins,
    /// It takes one and gives one.
    Chains,
    /// It may change the one at a place.
    Changes(u64),
    /// It was not seen what it was given, or that it was made.
    Unknown,
    /// None of these.
    Nothing,
}

/// What happened to one value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Life {
    /// The call that made it.
    pub(super) start: usize,
    /// Those that came after it.
    pub(super) steps: Vec<usize>,
    /// Something happened of which nobody knows whether it happened to this one.
    pub(super) unclear: bool,
    /// Where it lay as it was changed last.
    place: Option<u64>,
    /// Another value was made where it lay.
    over: bool,
}

impl Life {
    fn last(&self) -> usize {
        self.steps.last().copied().unwrap_or(self.start)
    }
}

/// The values that these calls made.
pub(super) fn lives(calls: impl Iterator<Item = Does>) -> Vec<Life> {
    let mut lives: Vec<Life> = Vec::new();
    let mut changed = None;
    for (at, call) in calls.enumerate() {
        // What has no place yet and was given last of all.
        let fresh = |lives: &[Life]| {
            lives.iter().rposition(|life| life.place.is_none() && Some(life.last()) > changed)
        };
        let of = match call {
            Does::Begins => {
                lives.push(Life { start: at, ..Life::default() });
                continue;
            }
            Does::Nothing => continue,
            Does::Unknown => None,
            Does::Chains => fresh(&lives).or_else(|| only(&lives)),
            Does::Changes(place) => {
                let there = |life: &Life| life.place == Some(place) && !life.over;
                let known = fresh(&lives).or_else(|| lives.iter().rposition(there));
                let of = known.or_else(|| moved(&lives));
                for (other, life) in lives.iter_mut().enumerate() {
                    life.over |= Some(other) != of && life.place == Some(place);
                }
                changed = Some(at);
                if of.is_none() {
                    continue;
                }
                of
            }
        };
        match of.and_then(|of| lives.get_mut(of)) {
            Some(life) => {
                life.place = if let Does::Changes(place) = call { Some(place) } else { None };
                life.steps.push(at);
            }
            None => lives.iter_mut().for_each(|life| life.unclear = true),
        }
    }
    lives
}

/// The only value that there is.
fn only(lives: &[Life]) -> Option<usize> {
    let mut there = (0..lives.len()).filter(|at| !lives[*at].over);
    there.next().filter(|_| there.next().is_none())
}

/// The value that was moved to a place where nothing was seen to be made: one that was nowhere yet, else the one that was
/// changed last.
fn moved(lives: &[Life]) -> Option<usize> {
    let there = |at: &usize| !lives[*at].over;
    let nowhere = (0..lives.len()).filter(there).rfind(|at| lives[*at].place.is_none());
    nowhere.or_else(|| (0..lives.len()).filter(there).max_by_key(|at| lives[*at].last()))
}

/// The values in the order in which one that lies within these addresses, or anywhere, is sought among them: those that were
/// changed there, those that nothing was seen to change, those that another one was made in place of, those that must have been
/// moved there. Of one that was given away nobody knows where it lay: it is the one that something happened to last.
pub(super) fn likeliest(mut lives: Vec<Life>, within: Option<&Range<u64>>) -> Vec<Life> {
    let is_there = |place: u64| within.is_none_or(|within| within.contains(&place));
    let rank = |life: &Life| match life.place {
        Some(place) if is_there(place) => {
            if life.over {
                2
            } else {
                0
            }
        }
        None => u8::from(within.is_some()),
        Some(_) => 3,
    };
    lives.sort_by_key(|life| (rank(life), std::cmp::Reverse(life.last())));
    lives
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `+` begins a value, `.` takes one and gives one, `?` is not known, a digit changes what lies there.
    fn told(calls: &str, within: Option<&Range<u64>>) -> Vec<String> {
        let does = |c: char| match c {
            '+' => Does::Begins,
            '.' => Does::Chains,
            '?' => Does::Unknown,
            digit => Does::Changes(u64::from(digit.to_digit(10).unwrap())),
        };
        let found = likeliest(lives(calls.chars().map(does)), within);
        let one = |life: &Life| {
            let steps: String = life.steps.iter().map(|at| calls.as_bytes()[*at] as char).collect();
            format!("{}{steps}{}", life.start, if life.unclear { "?" } else { "" })
        };
        found.iter().map(one).collect()
    }

    #[test]
    fn the_only_value_keeps_its_changes_wherever_it_goes() {
        assert_eq!(told("+115", Some(&(5..6))), ["0115"]);
        assert_eq!(told("+11", Some(&(5..6))), ["011"]);
        assert_eq!(told("+1.5", None), ["01.5"]);
    }

    #[test]
    fn of_several_values_each_has_what_happened_where_it_lay() {
        assert_eq!(told("+1+212", Some(&(1..2))), ["011", "222"]);
        assert_eq!(told("+1+212", Some(&(2..3))), ["222", "011"]);
        // The older one was nowhere yet.
        assert_eq!(told("++12", Some(&(2..3))), ["02", "11"]);
    }

    #[test]
    fn what_lies_where_nothing_was_changed_was_not_changed_or_was_moved() {
        assert_eq!(told("+1+2+", Some(&(9..10))), ["4", "22", "01"]);
        assert_eq!(told("+1+29", Some(&(9..10))), ["229", "01"]);
    }

    /// The frames of one call after the other lie at the same places.
    #[test]
    fn a_value_that_was_given_away_is_the_one_that_was_made_last() {
        assert_eq!(told("+111+", None), ["4", "0111"]);
        assert_eq!(told("+111+1", None), ["41", "0111"]);
    }

    #[test]
    fn a_place_has_the_value_that_was_made_there_last() {
        assert_eq!(told("+1+11", Some(&(1..2))), ["211", "01"]);
        assert_eq!(told("+1+1.", Some(&(1..2))), ["21.", "01"]);
    }

    #[test]
    fn what_was_not_seen_makes_all_unclear_that_is_there() {
        assert_eq!(told("+1?+2", None), ["32", "01?"]);
        assert_eq!(told("+1+2.", None), ["22?", "01?"]);
        assert_eq!(told("1+", None), ["1"]);
    }
}
