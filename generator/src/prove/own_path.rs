//! The path of the crashed program among the words that it was called with (`argv[0]`). In: a test's statements. Out: the same
//! with the program's name in its place, as a shell would have found it: the path is that of one machine, and the proof tells
//! whether the crash needs it.

use std::path::Path;

use proc_macro2::{Group, TokenStream, TokenTree};
use relapse_snapshot::Program;

use crate::hostile::literal;

/// Folders of a target folder that cargo puts programs in; those of a profile of its own are known by its name.
const FOLDERS: [&str; 4] = ["debug", "release", "deps", "examples"];

/// The statements with the program's name for its path.
pub(super) fn by_name(tokens: TokenStream, program: &Program) -> TokenStream {
    let profile = program.build.as_ref().map(|build| build.profile.as_str());
    tokens.into_iter().map(|token| named(token, program, profile)).collect()
}

fn named(token: TokenTree, program: &Program, profile: Option<&str>) -> TokenTree {
    match token {
        TokenTree::Group(group) => {
            let within = group.stream().into_iter().map(|token| named(token, program, profile));
            let mut anew = Group::new(group.delimiter(), within.collect());
            anew.set_span(group.span());
            TokenTree::Group(anew)
        }
        TokenTree::Literal(found) => match syn::Lit::new(found.clone()) {
            syn::Lit::Str(text) if is_own(&text.value(), program, profile) => {
                literal::string(&program.name).into_iter().next().unwrap_or(TokenTree::Literal(found))
            }
            _ => TokenTree::Literal(found),
        },
        other => other,
    }
}

/// Whether a text is a path at which cargo puts the program.
fn is_own(text: &str, program: &Program, profile: Option<&str>) -> bool {
    let path = Path::new(text);
    let folder = path.parent().and_then(Path::file_name).and_then(|folder| folder.to_str());
    let in_target = folder.is_some_and(|folder| FOLDERS.contains(&folder) || profile == Some(folder));
    path.is_absolute() && in_target && path.file_name().is_some_and(|name| name == program.name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_the_program_becomes_its_name_and_no_other_text_does() {
        let program = Program { name: "demo".to_owned(), ..Program::default() };
        let text = r#"let argv = &["/work/target/debug/demo", "/work/target/debug/other", "/etc/demo", "demo", "a/debug/demo"];"#;
        let named = by_name(text.parse().unwrap_or_default(), &program).to_string().replace(' ', "");
        assert_eq!(
            named,
            r#"letargv=&["demo","/work/target/debug/other","/etc/demo","demo","a/debug/demo"];"#
        );
    }
}
