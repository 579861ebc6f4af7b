//! What `gen` does beside generating: it shows progress, and runs the crashed command again where the values as
//! they were given are wanted.

use relapse_capture::cargo_runner::CargoCommand;
use relapse_capture::entries::{self, Rerun, RerunOptions, rerun};
use relapse_capture::roots::Roots;
use relapse_generator::compile::Progress as Step;
use relapse_generator::generate::Surroundings;
use relapse_generator::second_chance::{Lacking, Maker, Request, SecondRun};
use relapse_snapshot::display::short_type;
use relapse_snapshot::store::KeptCommand;
use relapse_snapshot::{Snapshot, Store};

use crate::arguments;
use crate::console::{Console, Progress};
use crate::run::expectation;
use crate::settings::Settings;

/// The surroundings of one snapshot's generation.
pub(super) struct Again<'a> {
    pub(super) args: &'a arguments::Gen,
    pub(super) store: &'a Store,
    pub(super) roots: &'a Roots,
    pub(super) settings: &'a Settings,
    pub(super) console: &'a mut Console,
    progress: Option<Progress>,
}

impl<'a> Again<'a> {
    pub(super) fn new(
        args: &'a arguments::Gen,
        store: &'a Store,
        roots: &'a Roots,
        settings: &'a Settings,
        console: &'a mut Console,
    ) -> Again<'a> {
        let progress = Some(console.progress("building the candidates"));
        Again { args, store, roots, settings, console, progress }
    }

    /// The command, where it may be run again; else why not.
    fn command(&self, snapshot: &Snapshot, would_harm: bool) -> Result<KeptCommand, &'static str> {
        if self.args.no_rerun {
            return Err("--no-rerun forbids it");
        }
        let kept = self.store.command_of(&snapshot.id).ok().flatten();
        let kept = kept.ok_or("its command was not kept")?;
        if kept.rerun || self.args.rerun {
            return Ok(kept);
        }
        if would_harm {
            return Err("it would do what the sandbox forbade: --rerun allows it");
        }
        if self.args.sandbox.allow_net || !self.args.sandbox.allow_write.is_empty() {
            return Err("it would do once more what was allowed: --rerun allows it");
        }
        let words: Vec<_> = kept.words.iter().map(Into::into).collect();
        if CargoCommand::parse(&words).is_none() {
            return Err("it is not started by cargo: --rerun allows it");
        }
        Ok(kept)
    }
}

impl Surroundings for Again<'_> {
    fn progress(&mut self, step: Step<'_>) {
        let text = format!("building the candidates: {} ({} done)", step.name, step.finished);
        if let Some(progress) = &self.progress {
            progress.now(&text);
        }
    }

    fn second_chance(&mut self, snapshot: &Snapshot, request: Request<'_>) -> Option<SecondRun> {
        self.progress = None;
        let why = match request.why {
            Lacking::Any => "no function reproduces the crash with the values that it had by then".to_owned(),
            Lacking::Better(function) => {
                format!(
                    "{} does not reproduce the crash with the values that it had by then",
                    short_type(&function)
                )
            }
            Lacking::Given(function) => {
                format!("the arguments of {} may have been changed since its call", short_type(&function))
            }
            Lacking::Made(function) => {
                let function = short_type(&function);
                format!("{function} takes a value of which its fields do not tell how it was made")
            }
            Lacking::Short(function) => {
                format!(
                    "the test of {} is long, and its values may have been made in a few calls",
                    short_type(&function)
                )
            }
            Lacking::Inlined(frame) => {
                format!("frame {frame} is not on the stack, and without optimisation it may be")
            }
            Lacking::Added(function) => {
                format!(
                    "the test of {} adds functions to the crate, and the calls that made its values may do",
                    short_type(&function)
                )
            }
        };
        let command = match self.command(snapshot, request.would_harm) {
            Ok(command) => command,
            Err(reason) => {
                self.console
                    .say(format_args!("{why}; a second run could tell what it was given, but {reason}"));
                return None;
            }
        };
        let what_for = if request.patient {
            "once more, to read each call of what is called often"
        } else {
            "again for what it was given"
        };
        self.console.say(format_args!("{why}: running the command {what_for}"));
        let program = match std::env::current_exe() {
            Ok(program) => program,
            Err(error) => {
                self.console.warn(format_args!("failed to find the path of relapse itself: {error}"));
                return None;
            }
        };
        let options = RerunOptions {
            piped: self.store.input_of(&snapshot.id).ok().flatten(),
            command,
            roots: self.roots.clone(),
            rules: self.settings.rules.clone(),
            limits: self.settings.limits.clone(),
            debug_info: self.settings.debug_info,
            target_folder: Some(request.target_folder.to_owned()),
            patient: request.patient,
            makers: request.makers.into_iter().map(maker).collect(),
            program,
        };
        let spinner = self.console.progress("running the command again");
        let seen = rerun(snapshot, &options, &mut expectation::from_source(self.roots));
        drop(spinner);
        self.progress = Some(self.console.progress("building the candidates"));
        match seen {
            Ok(Rerun::Same { snapshot, notes, left_alone }) => {
                for note in notes {
                    self.console.say(format_args!("  second run: {note}"));
                }
                Some(SecondRun { snapshot: *snapshot, left_alone })
            }
            Ok(Rerun::Other { reason, notes }) => {
                for note in notes {
                    self.console.say(format_args!("  second run: {note}"));
                }
                self.console.warn(format_args!("{reason}: the values of the first one have to do"));
                None
            }
            Err(error) => {
                let source = std::error::Error::source(&error).map(|s| format!(": {s}")).unwrap_or_default();
                self.console.warn(format_args!("the command could not be run again: {error}{source}"));
                None
            }
        }
    }
}

fn maker(maker: Maker) -> entries::Maker {
    let Maker { function, declared, gives } = maker;
    entries::Maker { function, declared, gives }
}
