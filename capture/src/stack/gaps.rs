//! Why a frame has no arguments, and the setting that would help.

use gimli::Unit;
use relapse_snapshot::{FrameKind, Trust};

use super::{Call, ImageState};
use crate::image::{DebugInfo, Image, Slice};

/// A crate, by its root file and the folder that it was compiled in.
pub(super) type Crate = (String, String);

/// What an image lacks for a frame.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Gap {
    /// No symbols.
    Stripped,
    /// No debug info at all, not even that of std.
    StrippedOfDebugInfo,
    /// No debug info for the function.
    NoDebugInfo,
    /// Lines, but neither variables nor types.
    LinesOnly,
    /// Debug info is in a file of its own, which could not be had for this reason.
    Split(String),
    /// Debug info is there and cannot be read, for this reason.
    Damaged(String),
    /// The separate debug file of this name is nowhere.
    DebugFile(String),
    /// Inlined by the optimiser, and no parameter is left in the debug info: it may have had none, too.
    Inlined,
}

/// What is missing for a call, if its function may have arguments that were not found. std as it ships has
/// line tables only, and nobody misses its arguments; a C library's frames are not ours either.
pub(super) fn gap(call: &Call, image: &'static Image, state: &mut ImageState) -> Option<Gap> {
    if call.frame.kind == FrameKind::Std || !call.frame.arguments.is_empty() {
        return None;
    }
    if let Some(reason) = &call.no_split {
        return Some(Gap::Split(reason.clone()));
    }
    let Some(entries) = call.entries else {
        image.rustc_version()?;
        if !image.has_symbol_table() {
            return Some(
                image.missing_debug_file().map_or(Gap::Stripped, |name| Gap::DebugFile(name.to_owned())),
            );
        }
        // A statically linked C library has names without a path.
        call.frame.function.contains("::").then_some(())?;
        if let Some(name) = image.missing_debug_file() {
            return Some(Gap::DebugFile(name.to_owned()));
        }
        return Some(if call.frame.location.is_some() {
            Gap::LinesOnly
        } else if let Some(reason) = image.damage() {
            Gap::Damaged(reason)
        } else if !image.has_debug_info() {
            Gap::StrippedOfDebugInfo
        } else {
            Gap::NoDebugInfo
        });
    };
    let unit = state.units.unit(entries.info.dwarf, entries.function.unit).ok()?;
    let detailed = match crate_of(&unit) {
        // All units of a crate are asked at once.
        Some(name) => *state
            .detailed
            .entry(name)
            .or_insert_with_key(|name| is_detailed(image, entries.info, &unit, name)),
        None => has_details(&unit),
    };
    if !detailed {
        return is_rust(&unit).then_some(Gap::LinesOnly);
    }
    call.frame.inlined.then_some(Gap::Inlined)
}

impl Gap {
    /// Whether a setting other than the optimisation level would help.
    pub(super) fn is_mendable(&self) -> bool {
        *self != Gap::Inlined
    }

    /// For people: what is missing, and what to set.
    pub(super) fn reason(&self, image: &Image) -> String {
        let (what, settings): (String, &[(&str, &str)]) = match self {
            Gap::Inlined => {
                return "inlined by the optimiser, which kept none of its arguments, if it has any".into();
            }
            Gap::DebugFile(name) => {
                return format!(
                    "its debug info is in {name}, which is not there, so no arguments: put it beside the \
                     program, or name its folder in RELAPSE_DEBUG_PATH"
                );
            }
            Gap::Damaged(reason) => {
                return format!("its debug info is damaged, so no arguments: {reason}; build it again");
            }
            Gap::Stripped => ("stripped of its symbols".into(), &[("strip", "false"), ("debug", "true")]),
            Gap::StrippedOfDebugInfo => (
                "stripped of its debug info, or compiled without".into(),
                &[("strip", "false"), ("debug", "true")],
            ),
            Gap::NoDebugInfo => ("compiled without debug info".into(), &[("debug", "true")]),
            Gap::LinesOnly => ("compiled with line tables only".into(), &[("debug", "true")]),
            Gap::Split(reason) => {
                (format!("its debug info is split off, and {reason}"), &[("split-debuginfo", "\"off\"")])
            }
        };
        format!("{what}, so no arguments: {}", advice(image, settings))
    }
}

/// Of each image, how many arguments of the project's own frames the optimiser kept nowhere.
pub(super) fn optimised(calls: &[Call]) -> Vec<String> {
    let mut images: Vec<(&Image, usize, usize)> = Vec::new();
    for call in calls.iter().filter(|call| call.frame.kind == FrameKind::Workspace) {
        let Some((image, _)) = call.image else { continue };
        let arguments = &call.frame.arguments;
        let lost = arguments.iter().filter(|a| a.value.trust == Trust::OptimizedOut).count();
        match images.iter_mut().find(|(known, ..)| known.number() == image.number()) {
            Some((_, all, gone)) => (*all, *gone) = (*all + arguments.len(), *gone + lost),
            None => images.push((image, arguments.len(), lost)),
        }
    }
    let lossy = images.into_iter().filter(|(_, _, lost)| *lost > 0);
    let note = |(image, all, lost): (&Image, usize, usize)| {
        format!(
            "{}: built with optimisation, so {lost} of {all} arguments were kept nowhere at the crash: {}",
            image.name(),
            advice(image, &[("opt-level", "0")])
        )
    };
    lossy.map(note).collect()
}

/// What to set under the profile that the image was built with, in both ways.
fn advice(image: &Image, settings: &[(&str, &str)]) -> String {
    let profile = profile(image);
    let lines: Vec<String> = settings.iter().map(|(key, value)| format!("`{key} = {value}`")).collect();
    let variables = settings.iter().map(|(key, value)| {
        let name = format!("CARGO_PROFILE_{profile}_{key}").to_uppercase().replace('-', "_");
        format!("{name}={}", value.trim_matches('"'))
    });
    format!(
        "set {} under `[profile.{profile}]` in Cargo.toml (or {})",
        lines.join(" and "),
        variables.collect::<Vec<_>>().join(" ")
    )
}

/// The cargo profile that the path tells: `target/debug/…`, `target/TRIPLE/release/…`; `dev` where it tells none.
fn profile(image: &Image) -> String {
    let folders = image.path().ancestors().skip(1).filter_map(|folder| folder.file_name()?.to_str());
    let folder = folders.into_iter().find(|name| !matches!(*name, "deps" | "examples"));
    match folder {
        Some("release") => "release".into(),
        Some(custom) if is_profile(image, custom) => custom.to_owned(),
        _ => "dev".into(),
    }
}

/// cargo leaves a `.fingerprint` folder in each profile's.
fn is_profile(image: &Image, name: &str) -> bool {
    let folder = image.path().ancestors().find(|folder| folder.file_name().is_some_and(|n| n == name));
    name != "debug" && folder.is_some_and(|folder| folder.join(".fingerprint").is_dir())
}

/// Whether a unit's crate has variables and types. A unit may have none because its few functions take
/// nothing; then the other units of the same crate are asked: of split ones, those that the stack needs.
fn is_detailed(image: &'static Image, info: DebugInfo, unit: &Unit<Slice>, name: &Crate) -> bool {
    if has_details(unit) {
        return true;
    }
    let all = if info.skeleton.is_some() { image.split_units() } else { vec![info] };
    all.into_iter().any(|info| {
        let mut units = info.dwarf.units();
        while let Ok(Some(header)) = units.next() {
            let Ok(mut other) = info.dwarf.unit(header) else { continue };
            other.comp_dir = other.comp_dir.or(info.skeleton.and_then(|skeleton| skeleton.comp_dir));
            if crate_of(&other).as_ref() == Some(name) && has_details(&other) {
                return true;
            }
        }
        false
    })
}

fn has_details(unit: &Unit<Slice>) -> bool {
    let find = || {
        let mut entries = unit.entries_raw(None)?;
        while !entries.is_empty() {
            let Some(abbreviation) = entries.read_abbreviation()? else { continue };
            if matches!(
                abbreviation.tag(),
                gimli::DW_TAG_formal_parameter | gimli::DW_TAG_base_type | gimli::DW_TAG_structure_type
            ) {
                return Ok(true);
            }
            entries.skip_attributes(abbreviation.attributes())?;
        }
        Ok::<_, gimli::Error>(false)
    };
    // A damaged unit has what was found so far: nothing.
    find().unwrap_or(false)
}

/// Whether rustc made a unit, and not the compiler of a C library that is linked in.
fn is_rust(unit: &Unit<Slice>) -> bool {
    let root = unit.entry(unit.header.root_offset()).ok();
    let language = root.and_then(|root| root.attr_value(gimli::DW_AT_language));
    language == Some(gimli::AttributeValue::Language(gimli::DW_LANG_Rust))
}

/// rustc names a unit `src/lib.rs/@/NAME.HASH-cgu.0`: the file, and the folder that it was compiled in.
fn crate_of(unit: &Unit<Slice>) -> Option<Crate> {
    let name = unit.name?.to_string_lossy().into_owned();
    let (file, _) = name.split_once("/@/")?;
    Some((file.to_owned(), unit.comp_dir?.to_string_lossy().into_owned()))
}
