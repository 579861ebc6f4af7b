//! `cargo relapse man`: the manual's pages in roff, from the same text as `--help`.

use std::fs;
use std::path::Path;

use clap::{Command, CommandFactory};
use clap_mangen::Man;

use crate::arguments::{self, Arguments};
use crate::console::Console;
use crate::exit_code::ExitCode;
use crate::failure::Failure;

/// A page of the manual.
struct Page {
    /// `cargo-relapse-run`.
    name: String,
    roff: Vec<u8>,
}

pub(crate) fn man(args: &arguments::Man, console: &mut Console) -> Result<ExitCode, Failure> {
    let pages = pages()?;
    let Some(folder) = &args.out else {
        let wanted = match &args.verb {
            Some(verb) => format!("cargo-relapse-{verb}"),
            None => "cargo-relapse".to_owned(),
        };
        let page = pages.into_iter().find(|page| page.name == wanted);
        let page = page.ok_or_else(|| {
            let verb = args.verb.as_deref().unwrap_or_default();
            Failure::usage(format!("there is no verb `{verb}`"))
                .advise("`cargo relapse --help` lists the verbs")
        })?;
        console.result(String::from_utf8_lossy(&page.roff).trim_end());
        return Ok(ExitCode::Done);
    };
    write(&pages, folder)?;
    console.say(format_args!("{} pages are in {}", pages.len(), folder.display()));
    Ok(ExitCode::Done)
}

/// The page of the program, then one of each verb.
fn pages() -> Result<Vec<Page>, Failure> {
    let mut program = Arguments::command();
    // Gives each verb its full name.
    program.build();
    let verbs: Vec<Command> = program.get_subcommands().filter(|verb| !verb.is_hide_set()).cloned().collect();
    let verbs = verbs.into_iter().filter(|verb| verb.get_name() != "help");
    let mut pages = vec![page("cargo-relapse".to_owned(), program)?];
    for verb in verbs {
        pages.push(page(format!("cargo-relapse-{}", verb.get_name()), verb)?);
    }
    Ok(pages)
}

fn page(name: String, command: Command) -> Result<Page, Failure> {
    let mut roff = Vec::new();
    Man::new(command)
        .title(&name)
        .section("1")
        .manual("relapse")
        .render(&mut roff)
        .map_err(|error| Failure::internal("failed to write a page of the manual").because(&error))?;
    Ok(Page { name, roff })
}

fn write(pages: &[Page], folder: &Path) -> Result<(), Failure> {
    let cannot = |path: &Path, error: &std::io::Error| {
        Failure::cannot_write(format!("failed to write {}", path.display())).because(error)
    };
    fs::create_dir_all(folder).map_err(|error| cannot(folder, &error))?;
    for page in pages {
        let path = folder.join(format!("{}.1", page.name));
        fs::write(&path, &page.roff).map_err(|error| cannot(&path, &error))?;
    }
    Ok(())
}
