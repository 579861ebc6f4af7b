//! Which folders hold whose code, so that a path of this machine becomes a path of a snapshot.

mod path;

use std::path::{Path, PathBuf};

use relapse_snapshot::FrameKind;
use serde::{Deserialize, Serialize};

pub(crate) use path::clean;
use path::relative_to;

/// The folders of one workspace. Serialised into the environment of the runner.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roots {
    /// The workspace root, absolute; `None` outside any workspace.
    pub workspace: Option<PathBuf>,
    /// Workspace members and path dependencies (inside the root or not).
    pub packages: Vec<PackageRoot>,
}

/// A package whose code counts as workspace code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageRoot {
    /// The package's name.
    pub name: String,
    /// The folder of its manifest, absolute.
    pub folder: PathBuf,
}

impl Roots {
    /// A path as debug info or a panic message has it → the path that a snapshot keeps, whose code it is, and
    /// the package.
    ///
    /// cargo compiles packages inside the workspace root from there, with relative paths, and all others with
    /// absolute ones; `comp_dir` (`DW_AT_comp_dir`) is what a relative path is relative to, where it is known.
    pub fn normalise(&self, raw: &str, comp_dir: Option<&str>) -> (String, FrameKind, Option<String>) {
        let absolute = if Path::new(raw).is_absolute() {
            clean(Path::new(raw))
        } else if let Some(folder) = comp_dir.filter(|folder| Path::new(folder).is_absolute()) {
            clean(&Path::new(folder).join(raw))
        } else {
            match self.place_relative(raw) {
                Some(absolute) => absolute,
                None => return self.unplaced(raw),
            }
        };
        self.normalise_absolute(&absolute).unwrap_or_else(|| foreign(&absolute, comp_dir))
    }

    /// The file that a relative path names: in the workspace root, or in the one package that has it.
    fn place_relative(&self, raw: &str) -> Option<PathBuf> {
        let folders = self.workspace.iter().chain(self.packages.iter().map(|package| &package.folder));
        folders.map(|folder| clean(&folder.join(raw))).find(|path| path.is_file())
    }

    /// A relative path that names no file here: a remapped std path, or code that was moved since.
    fn unplaced(&self, raw: &str) -> (String, FrameKind, Option<String>) {
        let cleaned = clean(Path::new(raw));
        let text = cleaned.to_string_lossy().into_owned();
        if path::is_std_library(&cleaned) {
            return (text, FrameKind::Std, None);
        }
        if text.starts_with("..") || text.starts_with('<') {
            return (text, FrameKind::Unknown, None);
        }
        match &self.workspace {
            Some(root) => {
                self.normalise_absolute(&clean(&root.join(raw))).unwrap_or((text, FrameKind::Unknown, None))
            }
            None => (text, FrameKind::Unknown, None),
        }
    }

    fn normalise_absolute(&self, absolute: &Path) -> Option<(String, FrameKind, Option<String>)> {
        path::in_std(absolute)
            .or_else(|| path::in_cargo_home(absolute, self.known_part(absolute)))
            .or_else(|| self.generated(absolute))
            .or_else(|| self.in_workspace(absolute))
            .or_else(|| {
                // Debug info may name a folder by another way to it (a symbolic link) than cargo metadata.
                let real = absolute.canonicalize().ok().filter(|real| real != absolute)?;
                self.in_workspace(&real)
            })
    }

    /// How many components of a path are a root's own: a `CARGO_HOME` inside the workspace holds dependencies,
    /// a workspace that was unpacked inside of one does not.
    fn known_part(&self, absolute: &Path) -> usize {
        let folders = self.workspace.iter().chain(self.packages.iter().map(|package| &package.folder));
        let inside = folders.filter(|folder| absolute.starts_with(folder));
        inside.map(|folder| folder.components().count()).max().unwrap_or(0)
    }

    /// A file that a build script wrote: `…/build/NAME-HASH/out/…`. It belongs to its package; the folder's
    /// hash is left out.
    fn generated(&self, absolute: &Path) -> Option<(String, FrameKind, Option<String>)> {
        let (name, rest) = path::in_build_output(absolute)?;
        let ours = self.packages.iter().any(|package| package.name == name);
        let kind = if ours { FrameKind::Workspace } else { FrameKind::Dependency };
        Some((format!("OUT_DIR/{name}/{rest}"), kind, Some(name)))
    }

    fn in_workspace(&self, absolute: &Path) -> Option<(String, FrameKind, Option<String>)> {
        let package = self
            .packages
            .iter()
            .filter(|package| absolute.starts_with(&package.folder))
            .max_by_key(|package| package.folder.components().count());
        let Some(package) = package else {
            let inside = absolute.strip_prefix(self.workspace.as_ref()?).ok()?;
            let kind = if inside.starts_with("target") { FrameKind::Unknown } else { FrameKind::Workspace };
            return path::vendored(absolute, self.workspace.as_ref()?)
                .or_else(|| Some((inside.to_string_lossy().into_owned(), kind, None)));
        };
        let inside = absolute.strip_prefix(&package.folder).ok()?;
        if let Some(vendored) = path::vendored(absolute, &package.folder) {
            return Some(vendored);
        }
        let file = match &self.workspace {
            Some(root) => relative_to(absolute, root),
            None => inside.to_path_buf(),
        };
        let file = file.to_string_lossy().into_owned();
        if inside.starts_with("target") {
            return Some((file, FrameKind::Unknown, None));
        }
        Some((file, FrameKind::Workspace, Some(package.name.clone())))
    }
}

/// A file of which nothing is known: relative to the folder that it was compiled in, or its bare name, so
/// that no machine's folders get into a snapshot.
fn foreign(absolute: &Path, comp_dir: Option<&str>) -> (String, FrameKind, Option<String>) {
    let inside = comp_dir.and_then(|folder| absolute.strip_prefix(folder).ok());
    let kept = inside.or_else(|| absolute.file_name().map(Path::new)).unwrap_or(absolute);
    (kept.to_string_lossy().into_owned(), FrameKind::Unknown, None)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn roots() -> Roots {
        let package = |name: &str, folder: &str| PackageRoot { name: name.into(), folder: folder.into() };
        Roots {
            workspace: Some("/w/space".into()),
            packages: vec![
                package("root", "/w/space"),
                package("inner-one", "/w/space/crates/one"),
                package("beside", "/w/beside"),
            ],
        }
    }

    fn is(raw: &str, comp_dir: Option<&str>, file: &str, kind: FrameKind, package: Option<&str>) {
        assert_eq!(roots().normalise(raw, comp_dir), (file.into(), kind, package.map(String::from)), "{raw}");
    }

    #[test]
    fn a_file_belongs_to_the_package_with_the_longest_root() {
        is("src/lib.rs", Some("/w/space"), "src/lib.rs", FrameKind::Workspace, Some("root"));
        let one = "crates/one/src/a.rs";
        is(one, Some("/w/space"), one, FrameKind::Workspace, Some("inner-one"));
        is("/w/space/crates/one/./src/../src/a.rs", None, one, FrameKind::Workspace, Some("inner-one"));
    }

    #[test]
    fn a_path_dependency_outside_the_root_is_workspace_code() {
        is("/w/beside/src/lib.rs", None, "../beside/src/lib.rs", FrameKind::Workspace, Some("beside"));
    }

    #[test]
    fn registry_and_git_sources_are_dependencies() {
        let file = "serde-json-1.0.0-rc.1/src/de.rs";
        let raw = format!("/home/u/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/{file}");
        is(&raw, None, file, FrameKind::Dependency, Some("serde-json"));
        let raw = "/home/u/.cargo/git/checkouts/some-repo-0a1b2c3d4e5f6071/1234567/member/src/lib.rs";
        is(raw, None, "some-repo-1234567/member/src/lib.rs", FrameKind::Dependency, Some("some-repo"));
    }

    #[test]
    fn a_cargo_home_inside_the_workspace_holds_dependencies_and_not_the_other_way_round() {
        let raw = "/w/space/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/x-1.0.0/src/lib.rs";
        is(raw, None, "x-1.0.0/src/lib.rs", FrameKind::Dependency, Some("x"));
        let folder = PathBuf::from("/h/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/x-1.0.0");
        let package = PackageRoot { name: "x".into(), folder: folder.clone() };
        let roots = Roots { workspace: Some(folder.clone()), packages: vec![package] };
        let found = roots.normalise(&folder.join("src/lib.rs").to_string_lossy(), None);
        assert_eq!(found, ("src/lib.rs".into(), FrameKind::Workspace, Some("x".into())));
    }

    #[test]
    fn std_sources_are_known_by_hash_component_and_own_dependencies() {
        let hash = "59807616e1bbfc5a4e1ef3b4f5b1ed4f5c4c5a5b";
        let raw = format!("/rustc/{hash}/library/core/src/option.rs");
        is(&raw, None, "library/core/src/option.rs", FrameKind::Std, None);
        let raw = "/r/toolchains/stable/lib/rustlib/src/rust/library/std/src/rt.rs";
        is(raw, None, "library/std/src/rt.rs", FrameKind::Std, None);
        let raw = "/rust/deps/hashbrown-0.15.4/src/raw/mod.rs";
        is(raw, None, "hashbrown-0.15.4/src/raw/mod.rs", FrameKind::Std, Some("hashbrown"));
        is("library/core/src/option.rs", None, "library/core/src/option.rs", FrameKind::Std, None);
    }

    #[test]
    fn generated_code_belongs_to_its_package_and_has_no_hash() {
        let raw = "/w/space/target/debug/build/inner-one-0123456789abcdef/out/parser.rs";
        is(raw, None, "OUT_DIR/inner-one/parser.rs", FrameKind::Workspace, Some("inner-one"));
        let raw = "/w/space/target/debug/build/other-0123456789abcdef/out/gen/parser.rs";
        is(raw, None, "OUT_DIR/other/gen/parser.rs", FrameKind::Dependency, Some("other"));
        let raw = "/w/space/target/package/x-1.0.0/src/lib.rs";
        is(raw, None, "target/package/x-1.0.0/src/lib.rs", FrameKind::Unknown, None);
    }

    #[test]
    fn foreign_paths_keep_no_folder_of_the_machine() {
        is("/home/someone/x/src/a.c", Some("/home/someone/x"), "src/a.c", FrameKind::Unknown, None);
        is("/home/someone/x/src/a.c", None, "a.c", FrameKind::Unknown, None);
        is("/home/someone/x/src/a.c", Some("./"), "a.c", FrameKind::Unknown, None);
    }

    #[test]
    fn a_relative_path_is_found_in_the_package_that_has_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let (space, beside) = (folder.path().join("space"), folder.path().join("beside"));
        fs::create_dir_all(space.join("src")).unwrap();
        fs::create_dir_all(beside.join("src")).unwrap();
        fs::write(beside.join("src/only.rs"), "").unwrap();
        let roots = Roots {
            workspace: Some(space.clone()),
            packages: vec![
                PackageRoot { name: "space".into(), folder: space },
                PackageRoot { name: "beside".into(), folder: beside },
            ],
        };
        let found = roots.normalise("src/only.rs", None);
        assert_eq!(found, ("../beside/src/only.rs".into(), FrameKind::Workspace, Some("beside".into())));
        let gone = roots.normalise("src/gone.rs", None);
        assert_eq!(gone, ("src/gone.rs".into(), FrameKind::Workspace, Some("space".into())));
    }

    #[test]
    fn vendored_sources_are_dependencies() {
        let folder = tempfile::tempdir().unwrap();
        let dependency = folder.path().join("vendor/fast-one");
        fs::create_dir_all(dependency.join("src")).unwrap();
        fs::write(dependency.join(".cargo-checksum.json"), "{}").unwrap();
        let manifest =
            "[package]\nname = \"fast-one\"\nversion = \"2.1.0\"\n[dependencies]\nversion = \"9\"\n";
        fs::write(dependency.join("Cargo.toml"), manifest).unwrap();
        let root = folder.path().to_path_buf();
        let packages = vec![PackageRoot { name: "root".into(), folder: root.clone() }];
        let roots = Roots { workspace: Some(root), packages };
        let raw = dependency.join("src/lib.rs");
        let found = roots.normalise(&raw.to_string_lossy(), None);
        assert_eq!(
            found,
            ("fast-one-2.1.0/src/lib.rs".into(), FrameKind::Dependency, Some("fast-one".into()))
        );
    }

    #[test]
    fn without_a_workspace_a_package_names_its_own_files() {
        let packages = vec![PackageRoot { name: "lone".into(), folder: "/x/lone".into() }];
        let roots = Roots { workspace: None, packages };
        let found = roots.normalise("/x/lone/src/main.rs", None);
        assert_eq!(found, ("src/main.rs".into(), FrameKind::Workspace, Some("lone".into())));
        let other = roots.normalise("whatever.rs", None);
        assert_eq!(other, ("whatever.rs".into(), FrameKind::Unknown, None));
    }
}
