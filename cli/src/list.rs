//! `cargo relapse list`: the snapshots of the store, oldest first.

use relapse_snapshot::display::{shell_words, short_function, terminal_safe};
use relapse_snapshot::{Location, Summary};
use serde::Serialize;

use crate::arguments;
use crate::console::{Console, Style};
use crate::edits;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::workspace::Workspace;

/// One line of `list --json`. The fields are a contract.
#[derive(Serialize)]
pub(crate) struct Line<'a> {
    id: &'a str,
    time: &'a str,
    cause: LineCause<'a>,
    location: Option<&'a Location>,
    function: Option<&'a str>,
    package: Option<&'a str>,
    fingerprint: &'a str,
    count: u64,
    command: String,
}

#[derive(Serialize)]
struct LineCause<'a> {
    kind: &'static str,
    message: &'a str,
    signal: Option<&'a str>,
}

pub(crate) fn list(_args: &arguments::List, console: &mut Console) -> Result<ExitCode, Failure> {
    let workspace = Workspace::find()?;
    edits::recover_if_possible(&workspace, console);
    let listing = workspace.store().list()?;
    if console.is_json() {
        for summary in &listing.snapshots {
            console.object(&line(summary))?;
        }
    } else if !listing.snapshots.is_empty() {
        table(&listing.snapshots, console);
    }
    for (_, error) in &listing.damaged {
        console.warn(error);
    }
    console.say(tally(listing.snapshots.len(), listing.damaged.len()));
    Ok(ExitCode::Done)
}

/// A snapshot as `--json` shows it.
pub(crate) fn line(summary: &Summary) -> Line<'_> {
    Line {
        id: &summary.id,
        time: &summary.time,
        cause: LineCause {
            kind: summary.cause.kind.name(),
            message: &summary.cause.message,
            signal: summary.cause.signal.as_deref(),
        },
        location: summary.location.as_ref(),
        function: summary.function.as_deref(),
        package: summary.package.as_deref(),
        fingerprint: &summary.fingerprint,
        count: summary.count,
        command: shell_words(&summary.command),
    }
}

fn table(snapshots: &[Summary], console: &mut Console) {
    let ids = short_ids(snapshots);
    let places: Vec<String> =
        snapshots.iter().map(|s| place(s.called_at.as_ref().or(s.location.as_ref()))).collect();
    let counts: Vec<String> = snapshots.iter().map(|s| format!("{}x", s.count)).collect();
    let width = |cells: &[String], title: &str, most: usize| {
        cells.iter().map(|cell| cell.chars().count()).max().unwrap_or(0).max(title.len()).min(most)
    };
    let id_width = width(&ids, "ID", 16);
    let seen_width = width(&counts, "SEEN", 8);
    let place_width = width(&places, "WHERE", 40);
    let title = format!(
        "{:id_width$}  {:16}  {:>seen_width$}  {:place_width$}  WHAT",
        "ID", "WHEN (UTC)", "SEEN", "WHERE"
    );
    console.result(console.paint(Style::Dim, &title));
    let left = console.columns().saturating_sub(id_width + 16 + seen_width + place_width + 8).max(24);
    for (((summary, id), place), count) in snapshots.iter().zip(&ids).zip(&places).zip(&counts) {
        console.result(format_args!(
            "{}  {:16}  {count:>seen_width$}  {}  {}",
            console.paint(Style::Bold, &format!("{id:id_width$}")),
            minute(&summary.time),
            console.paint(Style::Cyan, &format!("{:place_width$}", end_of(place, place_width))),
            start_of(&what(summary), left),
        ));
    }
}

/// The shortest beginnings of 8 digits or more that tell the snapshots apart.
fn short_ids(snapshots: &[Summary]) -> Vec<String> {
    let unique = |len: usize| {
        let mut ids: Vec<&str> = snapshots.iter().map(|s| s.id.get(..len).unwrap_or(&s.id)).collect();
        ids.sort_unstable();
        ids.windows(2).all(|pair| pair[0] != pair[1])
    };
    let len = (8..16).find(|len| unique(*len)).unwrap_or(16);
    snapshots.iter().map(|s| s.id.get(..len).unwrap_or(&s.id).to_owned()).collect()
}

fn place(location: Option<&Location>) -> String {
    location.map_or_else(|| "?".to_owned(), |place| one_line(&format!("{}:{}", place.file, place.line)))
}

/// `2026-11-23 09:41` of `2026-11-23T09:41:08Z`.
fn minute(time: &str) -> String {
    one_line(time.get(..16).unwrap_or(time)).replace('T', " ")
}

fn what(summary: &Summary) -> String {
    let kind = summary.cause.signal.as_deref().unwrap_or(summary.cause.kind.name());
    let message = summary.cause.message.lines().next().unwrap_or_default();
    let function = summary.function.as_deref().map(short_function);
    one_line(&match function {
        Some(function) => format!("{kind} in {function}: {message}"),
        None => format!("{kind}: {message}"),
    })
}

/// A hostile text as one safe line.
pub(crate) fn one_line(text: &str) -> String {
    terminal_safe(text).replace('\n', " ")
}

/// The beginning of a text that is too long.
pub(crate) fn start_of(text: &str, columns: usize) -> String {
    match text.char_indices().nth(columns) {
        Some(_) => text.chars().take(columns.saturating_sub(1)).chain(['…']).collect(),
        None => text.to_owned(),
    }
}

/// The end of a text that is too long: of a path, the file.
fn end_of(text: &str, columns: usize) -> String {
    let len = text.chars().count();
    if len <= columns {
        return text.to_owned();
    }
    ['…'].into_iter().chain(text.chars().skip(len - columns + 1)).collect()
}

fn tally(snapshots: usize, damaged: usize) -> String {
    let shown = match snapshots {
        0 => "no snapshots; `cargo relapse run -- CMD` makes one when CMD crashes".to_owned(),
        1 => "1 snapshot; `cargo relapse show ID` shows it".to_owned(),
        n => format!("{n} snapshots; `cargo relapse show ID` shows one"),
    };
    match damaged {
        0 => shown,
        1 => format!("{shown}; 1 file could not be read"),
        n => format!("{shown}; {n} files could not be read"),
    }
}
