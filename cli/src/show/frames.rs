//! The crashing thread's stack: workspace frames with their source line, all but std's with their arguments,
//! std's folded, and the middle of a recursion.

use std::ops::Range;

use relapse_snapshot::display::{pretty, short_type};
use relapse_snapshot::recursion::repetitions;
use relapse_snapshot::{Argument, Frame, FrameKind, Snapshot, Trust, TypeTable};

use super::source::Sources;
use crate::console::{Console, Style};
use crate::list::{one_line, start_of};

/// Frames that are shown of a stack; the rest of a deep recursion is counted.
const FRAMES: usize = 60;
/// Rounds of a recursion that are shown at its inner end: the innermost one may have no values yet.
const ROUNDS_WITHIN: usize = 2;
/// Rounds that a fold stands for at least.
const FOLDED_ROUNDS: usize = 3;
/// The column at which a frame's details stand.
const INDENT: &str = "      ";

pub(super) fn frames(snapshot: &Snapshot, all: bool, sources: &mut Sources, console: &mut Console) {
    let frames = snapshot.frames();
    let folds = |frame: &Frame| !all && frame.kind == FrameKind::Std;
    let again = if all { Vec::new() } else { rounds_between(frames) };
    let (mut at, mut shown) = (0, 0);
    while let Some(frame) = frames.get(at) {
        if let Some(round) = again.iter().find(|round| round.contains(&at)) {
            let count = round.end - at;
            let text = format!("   …  {count} frames of the same again; --all-frames shows them");
            console.result(console.paint(Style::Dim, &text));
            at = round.end;
            continue;
        }
        if folds(frame) {
            let end = again.iter().map(|round| round.start).find(|start| *start > at).unwrap_or(frames.len());
            let count = frames[at..end].iter().take_while(|frame| folds(frame)).count();
            let what = if count == 1 { "frame" } else { "frames" };
            console.result(console.paint(Style::Dim, &format!("   …  {count} {what} of std")));
            at += count;
            continue;
        }
        if shown == FRAMES && !all {
            let count = frames.len() - at;
            let text = format!("   …  {count} frames more; --all-frames shows them");
            console.result(console.paint(Style::Dim, &text));
            break;
        }
        one(at, frame, &snapshot.types, sources, console);
        shown += 1;
        at += 1;
    }
    console.result("");
}

/// The rounds of each recursion but for those at its ends.
fn rounds_between(frames: &[Frame]) -> Vec<Range<usize>> {
    let names: Vec<(&str, FrameKind)> = frames.iter().map(|f| (f.function.as_str(), f.kind)).collect();
    let between = repetitions(&names).into_iter().filter_map(|found| {
        let inner = found.calls.start + ROUNDS_WITHIN * found.period;
        let folded = inner..found.calls.end.saturating_sub(found.period);
        (folded.len() >= FOLDED_ROUNDS * found.period).then_some(folded)
    });
    between.collect()
}

fn one(number: usize, frame: &Frame, types: &TypeTable, sources: &mut Sources, console: &mut Console) {
    let own = frame.kind == FrameKind::Workspace;
    let function = start_of(&one_line(&frame.function), 300);
    let mut marks = Vec::new();
    match (frame.kind, &frame.package) {
        (FrameKind::Dependency, Some(package)) => marks.push(format!("of {}", one_line(package))),
        (FrameKind::Std, _) => marks.push("of std".to_owned()),
        _ => {}
    }
    if frame.inlined {
        marks.push("inlined".to_owned());
    }
    let marks = if marks.is_empty() { String::new() } else { format!("  ({})", marks.join(", ")) };
    let style = if own { Style::Bold } else { Style::Dim };
    console.result(format_args!(
        "{number:4}  {}{}",
        console.paint(style, &function),
        console.paint(Style::Dim, &marks)
    ));
    if let Some(place) = &frame.location {
        let text = one_line(&match place.column {
            0 => format!("{}:{}", place.file, place.line),
            column => format!("{}:{}:{column}", place.file, place.line),
        });
        console.result(format_args!("{INDENT}at {}", console.paint(Style::Cyan, &text)));
        if own && let Some(line) = sources.line(&place.file, place.line) {
            let line = start_of(&one_line(line.trim()), console.columns().saturating_sub(18));
            console.result(format_args!(
                "{INDENT}{} {line}",
                console.paint(Style::Dim, &format!("{:>5} |", place.line))
            ));
        }
    }
    for one in &frame.arguments {
        argument(one, types, console);
    }
    if let Some(reason) = &frame.arguments_missing
        && own
    {
        let text = format!("arguments are missing: {}", one_line(reason));
        console.result(format_args!("{INDENT}{}", console.paint(Style::Yellow, &text)));
    }
}

/// `name: type [trust] = value`, the value on lines of its own where it is long.
fn argument(argument: &Argument, types: &TypeTable, console: &mut Console) {
    let value = &argument.value;
    let name = if argument.name.is_empty() { "_".to_owned() } else { one_line(&argument.name) };
    let ty = start_of(&short_type(types.name(value.ty)), 120);
    let trust = match value.worst_trust() {
        Trust::AtCrash => String::new(),
        trust => {
            let style = if trust == Trust::Entry { Style::Green } else { Style::Yellow };
            format!(" {}", console.paint(style, &format!("[{}]", trust.name())))
        }
    };
    let head = format!("{INDENT}{name}: {}{trust}", console.paint(Style::Dim, &ty));
    let room =
        console.columns().saturating_sub(INDENT.len() + name.chars().count() + ty.chars().count() + 20);
    let shown = pretty(value, types, room.max(40));
    if shown.contains('\n') || shown.chars().count() > room {
        let shown = pretty(value, types, console.columns().saturating_sub(INDENT.len() + 4));
        console.result(format_args!("{head} ="));
        for line in shown.lines() {
            console.result(format_args!("{INDENT}    {line}"));
        }
    } else {
        console.result(format_args!("{head} = {shown}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stack(round: &[&str], rounds: usize) -> Vec<Frame> {
        let frame = |name: &str| Frame { function: name.to_owned(), ..Frame::default() };
        let calls = round.iter().copied().cycle().take(round.len() * rounds).map(frame);
        std::iter::once(frame("inner")).chain(calls).chain([frame("main")]).collect()
    }

    fn folded(round: &[&str], rounds: usize) -> Vec<(usize, usize)> {
        let found = rounds_between(&stack(round, rounds));
        found.into_iter().map(|found| (found.start, found.end)).collect()
    }

    #[test]
    fn the_middle_of_a_recursion_is_folded() {
        assert_eq!(folded(&["depth"], 100), [(3, 100)]);
        assert_eq!(folded(&["odd", "even"], 100), [(5, 199)]);
        assert_eq!(folded(&["c", "b", "a"], 100), [(7, 298)]);
    }

    #[test]
    fn a_few_rounds_are_shown() {
        assert!(folded(&["odd", "even"], 5).is_empty());
        assert_eq!(folded(&["odd", "even"], 6), [(5, 11)]);
        assert!(rounds_between(&[]).is_empty());
    }
}
