//! Panics that have the place of their caller: what a `#[track_caller]` function raises. The methods of some of std's
//! traits (`Index::index`) are such wherever they are implemented.

use relapse_snapshot::{Frame, Location};

/// Whether the place of a panic is one in a function further out than a target: the call of the target then. `below`: the
/// frames from the innermost to the target's, `above`: those that led to it.
pub(super) fn is_blamed(place: Option<&Location>, below: &[Frame], above: &[Frame]) -> bool {
    let Some(place) = place else { return false };
    let is_at = |frame: &Frame| {
        frame.location.as_ref().is_some_and(|at| at.file == place.file && at.line == place.line)
    };
    !below.iter().any(is_at) && above.iter().any(is_at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(line: u32) -> Location {
        Location { file: "src/lib.rs".to_owned(), line, column: 5 }
    }

    fn frame(line: u32) -> Frame {
        Frame { location: Some(at(line)), ..Frame::default() }
    }

    #[test]
    fn a_place_further_out_than_the_target_is_that_of_its_call() {
        let (below, above) = ([frame(3), frame(9)], [frame(20), frame(30)]);
        assert!(is_blamed(Some(&at(20)), &below, &above));
        assert!(!is_blamed(Some(&at(9)), &below, &above));
        assert!(!is_blamed(Some(&at(40)), &below, &above), "it is in none of them");
        assert!(!is_blamed(None, &below, &above));
        // A recursion: the line is the target's own as well.
        assert!(!is_blamed(Some(&at(20)), &[frame(20)], &above));
    }
}
