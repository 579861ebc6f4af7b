//! Regressions wired again after merges, moves and upgrades.

use std::fs;
use std::path::Path;

use super::*;
use crate::regression::Regression;
use crate::remove::{RemoveError, remove};
use crate::render::tests::example;

/// A package at the root with `fill` in `src/a.rs` and in the inline module `src/lib.rs::inner`.
struct Fixture {
    root: tempfile::TempDir,
    packages: Vec<SyncPackage>,
}

fn fixture() -> Fixture {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir_all(root.path().join("src")).unwrap();
    let lib = "mod a;\nmod inner {\n    pub fn fill(_: &str, _: usize) {}\n}\n";
    let files = [
        ("Cargo.toml", "[package]\nname = \"p\"\nversion = \"0.1.0\"\nedition = \"2021\"\n"),
        ("src/lib.rs", lib),
        ("src/a.rs", "pub fn fill(_: &str, _: usize) {}\n"),
    ];
    for (path, text) in files {
        fs::write(root.path().join(path), text).unwrap();
    }
    let package =
        SyncPackage { name: "p".into(), folder: "".into(), edition: 2021, roots: vec!["src/lib.rs".into()] };
    Fixture { root, packages: vec![package] }
}

fn in_a(name: &str) -> Regression {
    let mut regression = example();
    regression.name = name.into();
    // The same body would be the same test.
    regression.body = format!("fill(\"{name}\", 9);");
    regression.module.file = "src/a.rs".into();
    regression.module.module_path = vec!["a".into()];
    regression.header.target = "crate::a::fill".into();
    regression
}

fn in_inner(name: &str) -> Regression {
    let mut regression = example();
    regression.name = name.into();
    regression.module.inline = vec!["inner".into()];
    regression.module.module_path = vec!["inner".into()];
    regression.header.target = "crate::inner::fill".into();
    regression
}

impl Fixture {
    fn path(&self, path: &str) -> PathBuf {
        self.root.path().join(path)
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap()
    }

    fn place(&self, regressions: &[Regression]) {
        let placement = place::edits(regressions, self.root.path(), &Templates::embedded()).unwrap();
        placement.edits.apply(self.root.path(), &self.path(".relapse")).unwrap();
    }

    fn sync(&self) -> Synced {
        let synced = sync(self.root.path(), &self.packages, &Templates::embedded()).unwrap();
        synced.edits.apply(self.root.path(), &self.path(".relapse")).unwrap();
        let again = sync(self.root.path(), &self.packages, &Templates::embedded()).unwrap();
        assert!(again.edits.is_empty(), "{}", again.edits.diff());
        assert_eq!(again.unwired, synced.unwired);
        synced
    }

    fn remove(&self, name: &str) -> Result<crate::remove::Removal, RemoveError> {
        let removal = remove(name, self.root.path(), &self.packages, &Templates::embedded())?;
        removal.edits.apply(self.root.path(), &self.path(".relapse")).unwrap();
        Ok(removal)
    }

    /// Every file but ours of the store, with its content.
    fn all(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let tree = Tree::new(self.root.path());
        let files = tree.walk(Path::new("")).unwrap();
        files
            .into_iter()
            .filter(|file| !file.starts_with(".relapse"))
            .map(|file| (file.clone(), fs::read(self.root.path().join(&file)).unwrap()))
            .collect()
    }
}

#[test]
fn what_is_wired_stays_as_it_is() {
    let fixture = fixture();
    fixture.place(&[in_a("one"), in_a("two"), in_inner("three")]);
    let synced = fixture.sync();
    assert!(synced.edits.is_empty(), "{}", synced.edits.diff());
    assert_eq!((synced.regressions, synced.unwired.len()), (3, 0));
}

#[test]
fn files_that_came_by_a_merge_are_listed_and_lost_ones_are_not() {
    let fixture = fixture();
    fixture.place(&[in_a("one"), in_a("two")]);
    let text = fixture.read("regressions/a/two.rs");
    fs::write(fixture.path("regressions/a/three.rs"), text).unwrap();
    fs::remove_file(fixture.path("regressions/a/one.rs")).unwrap();
    fixture.sync();
    assert!(fixture.read("regressions/a/mod.rs").ends_with("\n\nmod three;\nmod two;\n"));
}

#[test]
fn a_list_with_merge_marks_is_written_anew() {
    let fixture = fixture();
    fixture.place(&[in_a("one"), in_a("two")]);
    let list = fixture.read("regressions/a/mod.rs");
    let marks = "<<<<<<< HEAD\nmod one;\n=======\nmod two;\n>>>>>>> other\n";
    fs::write(fixture.path("regressions/a/mod.rs"), marks).unwrap();
    fixture.sync();
    assert_eq!(fixture.read("regressions/a/mod.rs"), list);
}

#[test]
fn an_upgrade_that_lost_every_declaration_gets_them_back() {
    let fixture = fixture();
    let before = fixture.all();
    fixture.place(&[in_a("one"), in_inner("two")]);
    let placed = fixture.all();
    for (path, content) in &before {
        fs::write(fixture.root.path().join(path), content).unwrap();
    }
    fs::remove_file(fixture.path("regressions/a/mod.rs")).unwrap();
    let synced = fixture.sync();
    assert_eq!(synced.unwired, []);
    assert_eq!(fixture.all(), placed);
}

#[test]
fn a_module_that_became_a_folder_is_found() {
    let fixture = fixture();
    fixture.place(&[in_a("one")]);
    fs::create_dir(fixture.path("src/a")).unwrap();
    // The declaration moved along, and its path leads nowhere from there.
    fs::rename(fixture.path("src/a.rs"), fixture.path("src/a/mod.rs")).unwrap();
    assert_eq!(fixture.sync().unwired, []);
    let text = fixture.read("src/a/mod.rs");
    assert_eq!(text.matches("mod regressions;").count(), 1, "{text}");
    assert!(text.contains("#[path = \"../../regressions/a/mod.rs\"]"), "{text}");
    // A later regression of the module joins the first.
    let mut two = in_a("two");
    two.module.file = "src/a/mod.rs".into();
    fixture.place(&[two]);
    assert!(fixture.read("regressions/a/mod.rs").contains("mod one;\nmod two;\n"));
}

#[test]
fn a_module_that_moved_elsewhere_is_found_by_its_path() {
    let fixture = fixture();
    fixture.place(&[in_a("one"), in_inner("two")]);
    let a = fixture.read("src/a.rs");
    fs::remove_file(fixture.path("src/a.rs")).unwrap();
    fs::create_dir(fixture.path("src/odd")).unwrap();
    fs::write(fixture.path("src/odd/place.rs"), a).unwrap();
    fs::write(fixture.path("src/inner.rs"), "pub fn fill(_: &str, _: usize) {}\n").unwrap();
    fs::write(fixture.path("src/lib.rs"), "#[path = \"odd/place.rs\"]\nmod a;\nmod inner;\n").unwrap();
    assert_eq!(fixture.sync().unwired, []);
    assert!(fixture.read("src/odd/place.rs").contains("#[path = \"../../regressions/a/mod.rs\"]"));
    assert!(fixture.read("src/inner.rs").contains("#[path = \"../regressions/lib/inner/mod.rs\"]"));
}

#[test]
fn a_module_that_is_gone_is_named_and_the_others_are_wired() {
    let fixture = fixture();
    fixture.place(&[in_a("one"), in_inner("two")]);
    fs::remove_file(fixture.path("src/a.rs")).unwrap();
    fs::write(fixture.path("src/lib.rs"), "mod inner {\n    pub fn fill(_: &str, _: usize) {}\n}\n").unwrap();
    let synced = fixture.sync();
    assert_eq!(synced.unwired.len(), 1);
    assert_eq!(synced.unwired[0].file, Path::new("regressions/a/one.rs"));
    assert!(synced.unwired[0].reason.contains("src/a.rs is gone"), "{}", synced.unwired[0].reason);
    assert!(fixture.read("src/lib.rs").contains("/regressions/lib/inner/mod.rs"));
}

#[test]
fn a_folder_emptied_by_hand_loses_its_list_and_declaration() {
    let fixture = fixture();
    let before = fixture.all();
    fixture.place(&[in_a("one"), in_inner("two")]);
    fs::remove_file(fixture.path("regressions/a/one.rs")).unwrap();
    fs::remove_dir_all(fixture.path("regressions/lib")).unwrap();
    fixture.sync();
    assert_eq!(fixture.all(), before);
}

#[test]
fn a_declaration_that_both_sides_of_a_merge_brought_stands_once() {
    let fixture = fixture();
    fixture.place(&[in_a("one")]);
    let text = fixture.read("src/a.rs");
    let (_, declaration) = text.split_once("\n\n").unwrap();
    fs::write(fixture.path("src/a.rs"), format!("{text}\n{declaration}")).unwrap();
    fixture.sync();
    assert_eq!(fixture.read("src/a.rs"), text);
}

#[test]
fn a_persons_own_file_among_the_regressions_stays_listed() {
    let fixture = fixture();
    fixture.place(&[in_a("one")]);
    fs::write(fixture.path("regressions/a/mine.rs"), "#[test]\nfn mine() {}\n").unwrap();
    fs::remove_file(fixture.path("regressions/a/one.rs")).unwrap();
    assert_eq!(fixture.sync().unwired, []);
    assert!(fixture.read("regressions/a/mod.rs").ends_with("mod mine;\n"));
    assert!(fixture.read("src/a.rs").contains("mod regressions;"));
}

#[test]
fn a_regression_is_removed_with_every_edit_made_for_it() {
    let fixture = fixture();
    let before = fixture.all();
    let mut one = in_a("one");
    one.side_files = vec![crate::regression::SideFile { name: "page.txt".into(), bytes: b"x".to_vec() }];
    fixture.place(&[one, in_a("two"), in_inner("three")]);
    let snapshots = fixture.path("regressions/a/snapshots");
    fs::create_dir(&snapshots).unwrap();
    fs::write(snapshots.join("p__a__regressions__one__one.snap"), "---\n").unwrap();

    fixture.remove("one").unwrap();
    assert!(fixture.read("regressions/a/mod.rs").ends_with("\n\nmod two;\n"));
    assert!(!fixture.path("regressions/a/one").exists() && !snapshots.exists());
    assert!(fixture.read("src/a.rs").contains("mod regressions;"));
    fixture.remove("regressions/a/two.rs").unwrap();
    fixture.remove("three").unwrap();
    assert_eq!(fixture.all(), before);
    assert!(!fixture.path("regressions").exists());
    assert!(matches!(fixture.remove("three"), Err(RemoveError::Unknown(_))));
}

#[test]
fn of_two_regressions_of_one_name_none_is_guessed() {
    let fixture = fixture();
    fixture.place(&[in_a("one"), in_inner("one")]);
    let error = fixture.remove("one").unwrap_err().to_string();
    assert!(error.contains("regressions/a/one.rs, regressions/lib/inner/one.rs"), "{error}");
}

/// A package that discovers no tests, and one test outside of its library.
fn with_one_outside() -> (Fixture, Vec<(PathBuf, Vec<u8>)>) {
    let mut fixture = fixture();
    let manifest = "[package]\nname = \"p\"\nversion = \"0.1.0\"\nedition = \"2021\"\nautotests = false\n";
    fs::write(fixture.path("Cargo.toml"), manifest).unwrap();
    let before = fixture.all();
    let mut one = in_a("one");
    one.module.file = "tests/regressions.rs".into();
    one.module.module_path = Vec::new();
    one.header.target = "p::a::fill".into();
    fixture.place(&[one]);
    fixture.packages[0].roots.push("tests/regressions.rs".into());
    (fixture, before)
}

#[test]
fn a_test_outside_of_the_library_brings_its_target_and_takes_it_along() {
    let (fixture, before) = with_one_outside();
    let declaration =
        "#[cfg(test)]\n#[path = \"../regressions/tests/regressions/mod.rs\"]\nmod regressions;\n";
    assert!(fixture.read("tests/regressions.rs").ends_with(declaration));
    assert!(fixture.read("Cargo.toml").contains("[[test]]\nname = \"regressions\"\n"));
    assert!(fixture.sync().edits.is_empty());
    fixture.remove("one").unwrap();
    assert_eq!(fixture.all(), before);
}

#[test]
fn an_upgrade_that_lost_the_target_gets_it_back() {
    let (mut fixture, before) = with_one_outside();
    let placed = fixture.all();
    fs::remove_dir_all(fixture.path("tests")).unwrap();
    for (path, content) in &before {
        fs::write(fixture.root.path().join(path), content).unwrap();
    }
    fixture.packages[0].roots.pop();
    assert_eq!(fixture.sync().unwired, []);
    assert_eq!(fixture.all(), placed);
    // The file alone is not enough where nothing is discovered.
    fs::write(
        fixture.path("Cargo.toml"),
        &before.iter().find(|(path, _)| path.ends_with("Cargo.toml")).unwrap().1,
    )
    .unwrap();
    assert_eq!(fixture.sync().unwired, []);
    assert_eq!(fixture.all(), placed);
}

#[test]
fn somebody_elses_regressions_folder_is_left_alone() {
    let fixture = fixture();
    let wired = "#[cfg(test)]\n#[path = \"../regressions/issues/mod.rs\"]\nmod regressions;\n";
    let lib = format!("{}\n{wired}", fixture.read("src/lib.rs"));
    let list = "mod common;\n#[path = \"../shared.rs\"]\nmod shared;\n\n#[test]\nfn issue_12() {}\n";
    let files = [
        ("src/lib.rs", lib.as_str()),
        ("regressions/issues/mod.rs", list),
        ("regressions/issues/common/mod.rs", "pub fn page() {}\n"),
        ("regressions/issues/table.rs", "[1, 2, 3]\n"),
        ("regressions/shared.rs", "pub fn shared() {}\n"),
        // Only modules, none of them ours.
        ("regressions/more/mod.rs", "mod deep;\r\n"),
        ("regressions/more/deep/mod.rs", "#[test]\nfn deep() {}\n"),
    ];
    for (path, text) in files {
        fs::create_dir_all(fixture.path(path).parent().unwrap()).unwrap();
        fs::write(fixture.path(path), text).unwrap();
    }
    fixture.sync();
    for (path, text) in files {
        assert_eq!(fixture.read(path), text, "{path}");
    }
}

#[test]
fn code_that_somebody_wrote_into_a_list_outlives_the_last_test() {
    let fixture = fixture();
    fixture.place(&[in_a("first")]);
    let list = format!("{}\n#[test]\nfn by_hand() {{}}\n", fixture.read("regressions/a/mod.rs"));
    fs::write(fixture.path("regressions/a/mod.rs"), &list).unwrap();
    fixture.remove("first").unwrap();
    assert!(fixture.read("regressions/a/mod.rs").contains("fn by_hand()"));
    assert!(!fixture.read("regressions/a/mod.rs").contains("mod first;"));
    assert!(fixture.read("src/a.rs").contains("mod regressions;"), "it is still compiled");
}
