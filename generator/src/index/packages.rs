//! Packages, their targets and dependencies, from cargo's metadata. No source is read here.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;

use cargo_metadata::{DependencyKind, Metadata, TargetKind as CargoKind};

use super::CrateId;
use super::cfg::CfgFacts;
use crate::paths::{normalized, relative};

/// The test target of a package for tests that stand outside of its library: its name.
pub(crate) const OUTSIDE_NAME: &str = "regressions";
/// Its file, relative to the package's folder.
pub(crate) const OUTSIDE_FILE: &str = "tests/regressions.rs";

/// A package of the dependency graph.
#[derive(Debug, Clone)]
pub struct Package {
    /// Its name in `Cargo.toml`.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The oldest release of Rust 1 that its `rust-version` says it builds with.
    pub oldest_rust: Option<u16>,
    /// Its folder.
    pub folder: PathBuf,
    /// Its folder, relative to the workspace root (`..` where it is outside).
    pub relative_folder: PathBuf,
    /// A workspace member or a path dependency.
    pub local: bool,
    /// Its targets, build scripts left out.
    pub crates: Vec<CrateId>,
    /// Its library (or proc-macro) target.
    pub library: Option<CrateId>,
    /// The packages that its code can name: as which crate name, and which package (an index).
    pub dependencies: Vec<(String, usize)>,
    /// Features that are on.
    pub features: BTreeSet<String>,
    /// Whether a feature that is not in `features` is certainly off.
    pub features_known: bool,
}

/// What cargo makes of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TargetKind {
    /// A library of any crate type that code can be linked with.
    Library,
    /// A proc-macro crate.
    ProcMacro,
    /// A program.
    Binary,
    /// An example.
    Example,
    /// An integration test.
    Test,
    /// A benchmark.
    Bench,
}

/// One target: a crate.
#[derive(Debug, Clone)]
pub struct Target {
    /// Index of its package.
    pub package: usize,
    /// Its name as cargo has it: `my-tool`.
    pub name: String,
    /// Its name in paths: `my_tool`.
    pub crate_name: String,
    /// Its kind.
    pub kind: TargetKind,
    /// 2015, 2018, 2021, 2024.
    pub edition: u16,
    /// Its root file.
    pub root: PathBuf,
}

/// All packages and targets, in cargo's order.
pub(super) fn read(metadata: &Metadata) -> (Vec<Package>, Vec<Target>) {
    let root = metadata.workspace_root.as_std_path();
    let by_id: HashMap<_, usize> = metadata.packages.iter().enumerate().map(|(i, p)| (&p.id, i)).collect();
    let mut targets = Vec::new();
    let mut packages = Vec::new();
    for (index, package) in metadata.packages.iter().enumerate() {
        let folder = package.manifest_path.parent().map_or(root, |p| p.as_std_path()).to_path_buf();
        let mut own = Package {
            name: package.name.to_string(),
            version: package.version.to_string(),
            oldest_rust: package.rust_version.as_ref().and_then(|version| u16::try_from(version.minor).ok()),
            relative_folder: relative(root, &folder),
            folder,
            local: package.source.is_none(),
            crates: Vec::new(),
            library: None,
            dependencies: Vec::new(),
            features: BTreeSet::new(),
            features_known: false,
        };
        for target in &package.targets {
            let Some(kind) = kind(&target.kind) else { continue };
            let id = CrateId(targets.len() as u32);
            own.crates.push(id);
            if matches!(kind, TargetKind::Library | TargetKind::ProcMacro) {
                own.library = Some(id);
            }
            targets.push(Target {
                package: index,
                name: target.name.clone(),
                crate_name: target.name.replace('-', "_"),
                kind,
                edition: target.edition.as_str().parse().unwrap_or(2021),
                root: normalized(target.src_path.as_std_path()),
            });
        }
        if let Some(target) = outside_target(&own, &targets, index) {
            own.crates.push(CrateId(targets.len() as u32));
            targets.push(target);
        }
        packages.push(own);
    }
    resolve(metadata, &by_id, &mut packages);
    (packages, targets)
}

/// The test target that relapse would add to a library's package, where the package has none of its name.
fn outside_target(package: &Package, targets: &[Target], index: usize) -> Option<Target> {
    let library = package.library.and_then(|id| targets.get(id.0 as usize))?;
    let root = normalized(&package.folder.join(OUTSIDE_FILE));
    let is_taken = |id: &CrateId| {
        targets.get(id.0 as usize).is_some_and(|t| t.kind == TargetKind::Test && t.name == OUTSIDE_NAME)
    };
    let wanted = package.local
        && library.kind == TargetKind::Library
        && !root.exists()
        && !package.crates.iter().any(is_taken);
    wanted.then(|| Target {
        package: index,
        name: OUTSIDE_NAME.to_owned(),
        crate_name: OUTSIDE_NAME.to_owned(),
        kind: TargetKind::Test,
        edition: library.edition,
        root,
    })
}

/// Dependencies and features: from the resolved graph, or, without one, from the manifests alone.
fn resolve(
    metadata: &Metadata,
    by_id: &HashMap<&cargo_metadata::PackageId, usize>,
    packages: &mut [Package],
) {
    let Some(graph) = &metadata.resolve else {
        let by_name: HashMap<String, usize> =
            packages.iter().enumerate().map(|(index, p)| (p.name.clone(), index)).collect();
        for (package, own) in metadata.packages.iter().zip(packages) {
            for dependency in package.dependencies.iter().filter(|d| d.kind != DependencyKind::Build) {
                if let Some(&index) = by_name.get(&dependency.name) {
                    let name = dependency.rename.as_ref().unwrap_or(&dependency.name);
                    own.dependencies.push((name.replace('-', "_"), index));
                }
            }
        }
        return;
    };
    for node in &graph.nodes {
        let Some(own) = by_id.get(&node.id).and_then(|&index| packages.get_mut(index)) else { continue };
        own.features = node.features.iter().map(ToString::to_string).collect();
        own.features_known = true;
        // Normal dependencies first: a crate that is both is meant by its normal name.
        for dev in [false, true] {
            for dependency in &node.deps {
                let kinds: Vec<_> = dependency.dep_kinds.iter().map(|k| k.kind).collect();
                let normal = kinds.is_empty() || kinds.contains(&DependencyKind::Normal);
                let wanted =
                    if dev { !normal && kinds.contains(&DependencyKind::Development) } else { normal };
                if let (true, Some(&index)) = (wanted, by_id.get(&dependency.pkg)) {
                    own.dependencies.push((dependency.name.clone(), index));
                }
            }
        }
    }
}

fn kind(kinds: &[CargoKind]) -> Option<TargetKind> {
    kinds.iter().find_map(|kind| match kind {
        CargoKind::Bin => Some(TargetKind::Binary),
        CargoKind::Example => Some(TargetKind::Example),
        CargoKind::Test => Some(TargetKind::Test),
        CargoKind::Bench => Some(TargetKind::Bench),
        CargoKind::ProcMacro => Some(TargetKind::ProcMacro),
        CargoKind::Lib | CargoKind::RLib | CargoKind::DyLib | CargoKind::CDyLib | CargoKind::StaticLib => {
            Some(TargetKind::Library)
        }
        _ => None,
    })
}

impl Package {
    /// What is known of the build of one of its targets.
    pub(super) fn facts(&self, test: bool) -> CfgFacts {
        CfgFacts { features: self.features.clone(), features_known: self.features_known, test }
    }
}

impl TargetKind {
    /// Whether other crates can link it.
    pub fn is_library(self) -> bool {
        self == TargetKind::Library
    }
}
