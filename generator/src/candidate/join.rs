//! The function that a frame is, by the place of its declaration, and why a test cannot call it.

use std::path::Path;

use relapse_snapshot::Frame;

use super::twins::meant;
use crate::index::{FunctionItem, Holds, SourceIndex, binds_mut};

/// The function that a frame is, or why a test cannot call it.
pub(super) fn join<'a>(frame: &Frame, index: &'a SourceIndex) -> Result<&'a FunctionItem, String> {
    if frame.name.starts_with("{async_fn") {
        return Err(
            "the snapshot was made before async functions' arguments were read: run it again".to_owned()
        );
    }
    if frame.name.starts_with("{async") {
        return Err("an async block has no name that a test could call".to_owned());
    }
    if frame.name.starts_with('{') {
        return Err("a closure has no name that a test could call".to_owned());
    }
    let Some(declared) = &frame.declared else {
        return Err("the debug info does not say where it is declared".to_owned());
    };
    let hint = crate_name(&frame.function);
    let mut found = index.function_at(&declared.file, declared.line, &frame.name, hint);
    if found.is_empty() {
        found = index.function_at(&declared.file, declared.line, &frame.name, "");
    }
    let Some(function) = meant(&found, &frame.function, index) else {
        if let Some(problem) = index.problems().find(|problem| problem.file == Path::new(&declared.file)) {
            return Err(format!("failed to read {}: {}", declared.file, problem.reason));
        }
        return Err(match index.macro_at(&declared.file, declared.line, "") {
            Some(made) => format!("the macro `{}` makes it; its text does not read as a function", made.name),
            None => format!("no function `{}` stands at {}:{}", frame.name, declared.file, declared.line),
        });
    };
    if frame.is_async && !function.is_async() && function.signature.inputs.iter().any(binds_mut) {
        return Err("its block has captured parameters that it may have changed before".to_owned());
    }
    if let Some(outer) = &function.nested_in {
        return Err(format!("it is nested in `{outer}` and cannot be named from elsewhere"));
    }
    if function.is_async() && !frame.is_async && !function.attributes.main {
        return Err("a macro makes another function of it, or the source has changed".to_owned());
    }
    // One that is not async itself may return the future of an async block.
    if frame.is_async && !function.is_async() && matches!(function.signature.output, syn::ReturnType::Default)
    {
        return Err("its frame is the run of an async function: the source has changed".to_owned());
    }
    if function.attributes.test {
        return Err("it is a test itself and shows the crash already".to_owned());
    }
    if index.function_holds(function) == Holds::No {
        return Err("a cfg leaves it out of test builds".to_owned());
    }
    if frame.arguments.len() != function.signature.inputs.len() {
        return Err(frame.arguments_missing.clone().unwrap_or_else(|| {
            let (has, takes) = (frame.arguments.len(), function.signature.inputs.len());
            format!("the debug info shows {has} of its {takes} arguments")
        }));
    }
    if frame.is_async && !has_names_of(frame, function) {
        return Err("the debug info shows other arguments than it takes".to_owned());
    }
    Ok(function)
}

/// Whether the arguments go by the names of the parameters, as far as those have one. An async function's are found
/// by their names: one of another name is a variable of its body.
fn has_names_of(frame: &Frame, function: &FunctionItem) -> bool {
    frame.arguments.iter().zip(&function.signature.inputs).all(|(argument, input)| match input {
        syn::FnArg::Receiver(_) => argument.name == "self",
        syn::FnArg::Typed(typed) => match &*typed.pat {
            syn::Pat::Wild(_) => argument.name == "_",
            syn::Pat::Ident(pattern) => {
                let name = pattern.ident.to_string();
                argument.name == name.strip_prefix("r#").unwrap_or(&name)
            }
            _ => argument.name.starts_with("__arg"),
        },
    })
}

/// The crate that a demangled path begins with: `uuid` of `<uuid::Uuid as core::fmt::Display>::fmt`.
pub(super) fn crate_name(path: &str) -> &str {
    let start = path.trim_start_matches(['<', '&', '(', '[', '*']);
    let start = start.strip_prefix("mut ").or_else(|| start.strip_prefix("const ")).unwrap_or(start);
    let end = start.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(start.len());
    &start[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crate_name_is_the_first_name_of_the_path() {
        assert_eq!(crate_name("uuid::Uuid::get"), "uuid");
        assert_eq!(crate_name("<uuid::Uuid as core::fmt::Display>::fmt"), "uuid");
        assert_eq!(crate_name("<&mut demo::R as std::io::Read>::read"), "demo");
        assert_eq!(crate_name(""), "");
    }
}
