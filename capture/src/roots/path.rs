//! The shapes of paths: what std, cargo's registry, git checkouts, vendored folders and build outputs look like.

use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

use relapse_snapshot::FrameKind;

type Normalised = (String, FrameKind, Option<String>);

/// Without `.` and, as far as the text tells, `..` (symbolic links are not followed).
pub(crate) fn clean(path: &Path) -> PathBuf {
    let mut cleaned = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir
                if matches!(cleaned.components().next_back(), Some(Component::Normal(_))) =>
            {
                cleaned.pop();
            }
            other => cleaned.push(other),
        }
    }
    cleaned
}

/// `path` as seen from `base`, with `..` where it lies outside.
pub(super) fn relative_to(path: &Path, base: &Path) -> PathBuf {
    let shared = path.components().zip(base.components()).take_while(|(a, b)| a == b).count();
    let up = base.components().skip(shared).map(|_| Component::ParentDir);
    up.chain(path.components().skip(shared)).collect()
}

/// `library/core/…` and the like: how std's own paths begin after the toolchain's prefix.
pub(super) fn is_std_library(path: &Path) -> bool {
    const CRATES: [&str; 9] =
        ["core", "alloc", "std", "test", "proc_macro", "panic_unwind", "panic_abort", "unwind", "backtrace"];
    let mut parts = path.components().filter_map(text);
    parts.next() == Some("library")
        && parts
            .next()
            .is_some_and(|part| CRATES.contains(&part) || part == "portable-simd" || part == "stdarch")
}

/// `/rustc/HASH/library/…`, `…/rustlib/src/rust/library/…` (the component `rust-src`), and std's own
/// dependencies at `/rust/deps/NAME-VERSION/…`.
pub(super) fn in_std(path: &Path) -> Option<Normalised> {
    let parts = texts(path)?;
    if let ["/", "rust", "deps", folder, ..] = parts[..] {
        return Some((joined(&parts[3..]), FrameKind::Std, Some(package_of(folder).to_owned())));
    }
    let after_prefix = match parts[..] {
        ["/", "rustc", _, ..] => 3,
        _ => parts.windows(3).position(|three| three == ["rustlib", "src", "rust"])? + 3,
    };
    let rest = &parts[after_prefix..];
    matches!(rest.first(), Some(&"library" | &"compiler" | &"vendor"))
        .then(|| (joined(rest), FrameKind::Std, None))
}

/// `…/registry/src/INDEX/NAME-VERSION/…` and `…/git/checkouts/REPO-HASH/REVISION/…`, where that begins after so
/// many components.
pub(super) fn in_cargo_home(path: &Path, after: usize) -> Option<Normalised> {
    let parts = texts(path)?;
    let find = |names: [&str; 2]| {
        let two = parts.windows(2).enumerate().skip(after);
        two.into_iter().find(|(_, two)| *two == names).map(|(at, _)| at)
    };
    if let Some(at) = find(["registry", "src"]) {
        let folder = parts.get(at + 3)?;
        let package = package_of(folder).to_owned();
        return Some((joined(&parts[at + 3..]), FrameKind::Dependency, Some(package)));
    }
    let at = find(["git", "checkouts"])?;
    let (repository, revision) = (parts.get(at + 2)?, parts.get(at + 3)?);
    let repository = repository.rsplit_once('-').map_or(*repository, |(name, _)| name);
    let root: PathBuf = parts[..at + 4].iter().collect();
    let package = manifest_above(path, &root).map_or_else(|| repository.to_owned(), |(name, _)| name);
    let file = format!("{repository}-{revision}/{}", joined(&parts[at + 4..]));
    Some((file, FrameKind::Dependency, Some(package)))
}

/// `…/build/NAME-HASH/out/REST` → NAME and REST.
pub(super) fn in_build_output(path: &Path) -> Option<(String, String)> {
    let parts = texts(path)?;
    let is_hash = |text: &str| text.len() == 16 && text.bytes().all(|b| b.is_ascii_hexdigit());
    parts.windows(3).enumerate().find_map(|(at, three)| {
        let ["build", folder, "out"] = three else { return None };
        let (name, hash) = folder.rsplit_once('-')?;
        is_hash(hash).then(|| (name.to_owned(), joined(&parts[at + 3..])))
    })
}

/// A source that `cargo vendor` put below `root`: its folder has a checksum file.
pub(super) fn vendored(path: &Path, root: &Path) -> Option<Normalised> {
    let folder = path
        .ancestors()
        .skip(1)
        .take_while(|folder| folder.starts_with(root))
        .find(|folder| folder.join(".cargo-checksum.json").is_file())?;
    let (name, version) = manifest_above(&folder.join("x"), folder)?;
    let inside = path.strip_prefix(folder).ok()?.to_string_lossy().into_owned();
    Some((format!("{name}-{version}/{inside}"), FrameKind::Dependency, Some(name)))
}

/// Name and version in the nearest manifest between `path` and `root`, `root` included.
fn manifest_above(path: &Path, root: &Path) -> Option<(String, String)> {
    let folders = path.ancestors().skip(1).take_while(|folder| folder.starts_with(root));
    folders.map(|folder| folder.join("Cargo.toml")).find_map(|file| {
        let manifest = std::fs::read_to_string(file).ok()?;
        let package = manifest.split("[package]").nth(1)?;
        let package = package.split("\n[").next().unwrap_or(package);
        let value = |key: &str| {
            package.lines().find_map(|line| {
                let (name, value) = line.split_once('=')?;
                (name.trim() == key).then(|| value.trim().trim_matches('"').to_owned())
            })
        };
        Some((value("name")?, value("version").unwrap_or_default()))
    })
}

/// NAME of `NAME-VERSION`: the version begins at the first `-` that a digit follows and that makes a version.
fn package_of(folder: &str) -> &str {
    let is_version = |text: &str| {
        let mut numbers = text.splitn(3, '.');
        numbers.by_ref().take(2).all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
            && numbers.next().is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    let at = folder.match_indices('-').find(|&(at, _)| is_version(&folder[at + 1..]));
    at.map_or(folder, |(at, _)| &folder[..at])
}

fn text(component: Component<'_>) -> Option<&str> {
    component.as_os_str().to_str()
}

fn texts(path: &Path) -> Option<Vec<&str>> {
    path.components().map(text).collect()
}

fn joined(parts: &[&str]) -> String {
    parts.iter().map(OsStr::new).collect::<PathBuf>().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_name_may_hold_hyphens_and_digits() {
        assert_eq!(package_of("a-1-b-2.0.1"), "a-1-b");
        assert_eq!(package_of("x86_64-0.14.0-alpha.1+build-2.3.4"), "x86_64");
        assert_eq!(package_of("plain"), "plain");
    }

    #[test]
    fn relative_paths_climb_out() {
        assert_eq!(relative_to(Path::new("/a/b/c"), Path::new("/a/x/y")), Path::new("../../b/c"));
        assert_eq!(clean(Path::new("/a/./b/../c")), Path::new("/a/c"));
        assert_eq!(clean(Path::new("../x")), Path::new("../x"));
    }
}
