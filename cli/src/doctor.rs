//! `cargo relapse doctor`: whether relapse can work here, and what to do where it cannot.

mod builds;
mod cargo_config;
mod machine;
mod project;
mod store;
mod toolchain;

use std::path::Path;

use relapse_snapshot::display::terminal_safe;
use serde::Serialize;

use crate::arguments;
use crate::console::{Console, Style};
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::workspace::Workspace;

/// One thing that was looked at; a line of `doctor --json`.
#[derive(Debug, Serialize)]
struct Check {
    /// What was looked at.
    #[serde(rename = "check")]
    subject: &'static str,
    /// How it is.
    status: Status,
    /// What was found.
    message: String,
    /// What to do, where something is to be done.
    advice: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Status {
    /// As it should be.
    Ok,
    /// Works, but not as well as it could.
    Note,
    /// relapse cannot work so.
    Missing,
}

impl Check {
    fn ok(subject: &'static str, message: impl Into<String>) -> Check {
        Check { subject, status: Status::Ok, message: message.into(), advice: None }
    }

    fn note(subject: &'static str, message: impl Into<String>, advice: impl Into<String>) -> Check {
        Check { subject, status: Status::Note, message: message.into(), advice: Some(advice.into()) }
    }

    fn missing(subject: &'static str, message: impl Into<String>, advice: impl Into<String>) -> Check {
        Check { subject, status: Status::Missing, message: message.into(), advice: Some(advice.into()) }
    }
}

pub(crate) fn doctor(_args: &arguments::Doctor, console: &mut Console) -> Result<ExitCode, Failure> {
    let progress = console.progress("looking at the machine");
    let mut checks = machine::checks();
    let workspace = Workspace::find();
    let folder = workspace.as_ref().map_or(Path::new("."), |workspace| &workspace.root);
    let configs = cargo_config::configs(folder);
    checks.extend(toolchain::checks(folder, project::own_linker(&configs, folder)));
    match &workspace {
        Ok(workspace) => {
            checks.extend(store::checks(workspace));
            checks.extend(project::checks(workspace, &configs));
        }
        Err(failure) => {
            let advice = failure.advice.clone().unwrap_or_else(|| "repair Cargo.toml".to_owned());
            checks.push(Check::missing("workspace", failure.in_a_line(), advice));
        }
    }
    drop(progress);
    for check in &checks {
        if console.is_json() {
            console.object(check)?;
        } else {
            print(check, console);
        }
    }
    let count = |status| checks.iter().filter(|check| check.status == status).count();
    let (missing, notes) = (count(Status::Missing), count(Status::Note));
    console.say(match (missing, notes) {
        (0, 0) => "all is well".to_owned(),
        (0, notes) => format!("relapse can work here; {notes} to improve"),
        (missing, _) => format!("{missing} needed and missing"),
    });
    Ok(if missing == 0 { ExitCode::Done } else { ExitCode::Missing })
}

fn print(check: &Check, console: &mut Console) {
    let (style, word) = match check.status {
        Status::Ok => (Style::Green, "ok"),
        Status::Note => (Style::Yellow, "note"),
        Status::Missing => (Style::Red, "missing"),
    };
    let word = console.paint(style, &format!("{word:8}"));
    console.result(format_args!("{word} {:12} {}", check.subject, terminal_safe(&check.message)));
    if let Some(advice) = &check.advice {
        console.result(format_args!(
            "{:8} {:12} {} {}",
            "",
            "",
            console.paint(Style::Bold, "->"),
            terminal_safe(advice)
        ));
    }
}
