//! `cargo relapse completions`: a script by which a shell completes our verbs and options, for `cargo-relapse` and,
//! where the shell has a way, for `cargo relapse`.

use clap::{Command, CommandFactory};
use clap_complete::Shell;

use crate::arguments::{Arguments, Completions};
use crate::console::Console;
use crate::exit_code::ExitCode;
use crate::failure::Failure;

const PROGRAM: &str = "cargo-relapse";
/// In the script for bash, clap_complete 4.6.11 does not find the verbs of a program that has a hyphen in its name.
const BASH_NAME: &str = "cargo_relapse";

/// bash keeps one function a command: whatever completes cargo goes on to, but for `cargo relapse`. The function
/// is found when it is needed, since cargo's own script may be loaded later.
const BASH: &str = r#"
complete -r cargo_relapse
complete -F _cargo_relapse -o bashdefault -o default cargo-relapse
# `cargo relapse …`: the words without `cargo`, completed as `cargo-relapse …`.
_cargo_relapse_by_cargo() {
    if [[ ${COMP_WORDS[1]} == relapse && $COMP_CWORD -gt 1 ]]; then
        local previous="$3"
        [[ $COMP_CWORD -eq 2 ]] && previous=cargo-relapse
        COMP_WORDS=(cargo-relapse "${COMP_WORDS[@]:2}")
        COMP_CWORD=$((COMP_CWORD - 1))
        _cargo_relapse cargo-relapse "$2" "$previous"
        return
    fi
    if [[ -z ${_cargo_relapse_before-} ]]; then
        if ! declare -F _cargo >/dev/null && declare -F _comp_load >/dev/null; then
            _comp_load cargo 2>/dev/null
        elif ! declare -F _cargo >/dev/null && declare -F _completion_loader >/dev/null; then
            _completion_loader cargo 2>/dev/null
        fi
        # Loading registers what was loaded in our place.
        complete -F _cargo_relapse_by_cargo -o bashdefault -o default cargo
        declare -F _cargo >/dev/null && _cargo_relapse_before=_cargo
    fi
    if [[ -n ${_cargo_relapse_before-} ]]; then
        "$_cargo_relapse_before" "$@"
    fi
}
if [[ $(complete -p cargo 2>/dev/null) =~ -F\ ([^ ]+) && ${BASH_REMATCH[1]} != _cargo_relapse_by_cargo ]]; then
    _cargo_relapse_before=${BASH_REMATCH[1]}
fi
complete -F _cargo_relapse_by_cargo -o bashdefault -o default cargo
"#;

/// fish asks itself what it would complete for `cargo-relapse …`.
const FISH: &str = r#"
# `cargo relapse …`: completed as `cargo-relapse …`.
complete -c cargo -n '__fish_seen_subcommand_from relapse' -f -a '(complete -C "cargo-relapse "(commandline -cp | string replace -r "^.*?\brelapse\s+" ""))'
complete -c cargo -n '__fish_use_subcommand' -f -a relapse -d 'Turn a crash into a regression test'
"#;

pub(crate) fn completions(args: &Completions, console: &mut Console) -> Result<ExitCode, Failure> {
    console.result(script(args.shell)?.trim_end());
    Ok(ExitCode::Done)
}

/// The command line under a name of one word, without the verbs that no person needs: the scripts offer hidden ones.
fn shown(name: &'static str) -> Command {
    let all = Arguments::command();
    let verbs: Vec<Command> = all.get_subcommands().filter(|verb| !verb.is_hide_set()).cloned().collect();
    Command::new(name).bin_name(name).version(env!("CARGO_PKG_VERSION")).subcommands(verbs)
}

fn script(shell: Shell) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let name = if shell == Shell::Bash { BASH_NAME } else { PROGRAM };
    clap_complete::generate(shell, &mut shown(name), name, &mut bytes);
    let mut script = String::from_utf8(bytes)
        .map_err(|error| Failure::internal("failed to write a script for the shell").because(&error))?;
    // zsh's own completion of cargo calls `_cargo-relapse` for `cargo relapse`; elvish and PowerShell have no such way.
    script.push_str(match shell {
        Shell::Bash => BASH,
        Shell::Fish => FISH,
        _ => "",
    });
    Ok(script)
}
