"""The programs that are measured: small Rust sources in programs/, a large one made of many types, and two packages for
`gen`. All of it is built below one work folder, once."""

import os
import shutil
import subprocess
from pathlib import Path

from series import Failed, environment

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent

# A debug build of one part has about 0.85 MiB of debug info.
PARTS = {"large": 160, "largest": 420}

# What panics is a debug build; an optimised one whose values are read needs more than lines.
DEBUG_BUILDS, READ = ("panics", "caught"), ("hot", "made")

PART = """
pub mod part{n} {{
    use std::collections::{{BTreeMap, HashMap, HashSet, VecDeque}};
    #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub struct Key {{ pub id: u64, pub name: String }}
    #[derive(Debug, Clone, PartialEq)]
    pub enum Entry {{ Empty, Named {{ key: Key, weight: f64 }}, Many(Vec<Entry>) }}
    #[inline(never)]
    pub fn run(seed: u64) -> u64 {{
        let keys: Vec<Key> = (seed..seed + 3).map(|id| Key {{ id, name: id.to_string() }}).collect();
        let named = |key: Key| (key.clone(), Entry::Named {{ key, weight: 0.5 }});
        let map: HashMap<Key, Entry> = keys.iter().cloned().map(named).collect();
        let tree: BTreeMap<Key, Entry> = map.iter().map(|(key, entry)| (key.clone(), entry.clone())).collect();
        let set: HashSet<Key> = tree.keys().cloned().collect();
        let mut queue: VecDeque<Entry> = tree.into_values().collect();
        queue.push_back(Entry::Many(Vec::new()));
        queue.push_front(Entry::Empty);
        let mut sorted: Vec<Key> = set.into_iter().collect();
        sorted.sort();
        (map.len() + format!("{{sorted:?}} {{queue:?}}").len()) as u64
    }}
}}
"""

# What a package for `gen` needs from crates.io: common crates that this repository builds with, too.
DEPENDENCIES = """
serde = { version = "1", features = ["derive"] }
serde_json = "1"
tempfile = "3"
toml_edit = "0.25"
"""


def call(command, folder, seconds=600):
    made = subprocess.run(
        command, cwd=folder, env=environment(), stdin=subprocess.DEVNULL, timeout=seconds,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False,
    )
    if made.returncode != 0:
        raise Failed(f"`{' '.join(map(str, command))}` ended with {made.returncode}:\n{made.stdout[-2000:]}")
    return made.stdout


class Programs:
    """Builds what a measurement asks for, where it is not there yet."""

    def __init__(self, work):
        self.work = Path(work)
        self.work.mkdir(parents=True, exist_ok=True)
        # A folder without a manifest above it: `run` asks no cargo then, as for any program outside of a project.
        (self.work / "plain").mkdir(exist_ok=True)
        self.folder = self.work / "plain"

    def source(self, name):
        """The text of a source of programs/."""
        return (HERE / "programs" / f"{name}.rs").read_text()

    def small(self, name):
        """A source of programs/. What is measured by its time is optimised; what panics is a debug build."""
        options = ["-O", "-C", "debuginfo=1"]
        if name in DEBUG_BUILDS:
            options = ["-g"]
        elif name in READ:
            options = ["-O", "-g"]
        return self.compiled(name, self.source(name), options)

    def large(self, name):
        """`panics` with as many types as make 100 MiB of debug info, and more of them."""
        head, _ = self.source("panics").split("\n// The end of this file")
        parts = range(PARTS[name])
        calls = "".join(f"    total += part{n}::run(seed + {n});\n" for n in parts)
        body = f"\nfn everything(seed: u64) -> u64 {{\n    let mut total = 0;\n{calls}    total\n}}\n"
        return self.compiled(name, head + body + "".join(PART.format(n=n) for n in parts), ["-g", "-C", "codegen-units=64"])

    def compiled(self, name, text, options):
        program, source = self.folder / name, self.folder / f"{name}.rs"
        if program.exists() and source.exists() and source.read_text() == text:
            return str(program)
        source.write_text(text)
        call(["rustc", "--edition", "2024", *options, f"{name}.rs", "-o", f"{name}.new"], self.folder)
        os.replace(self.folder / f"{name}.new", program)
        return str(program)

    def second_run(self):
        """What runs a command a first and a second time without `gen` around it: an example of the capture crate."""
        words = ["cargo", "build", "--release", "--quiet", "-p", "relapse-capture", "--example", "second_run"]
        call(words, REPOSITORY)
        return str(REPOSITORY / "target" / "release" / "examples" / "second_run")

    def package(self, name, with_dependencies):
        """The tool's own sample program as a package; its pristine text stays beside it."""
        pristine = self.work / name / "pristine"
        if pristine.exists():
            shutil.rmtree(pristine)
        shutil.copytree(REPOSITORY / "cli" / "sample" / "src", pristine / "src")
        (pristine / "src" / "statement_fixed.rs").unlink()
        shutil.copy(REPOSITORY / "cli" / "sample" / "orders.txt", pristine)
        manifest = (REPOSITORY / "cli" / "sample" / "manifest.toml").read_text()
        if with_dependencies:
            manifest += f"\n[dependencies]{DEPENDENCIES}"
        (pristine / "Cargo.toml").write_text(manifest)
        package = Package(self.work / name / "package", pristine)
        package.restore()
        lock = package.folder / "Cargo.lock"
        if not lock.exists():
            try:
                call(["cargo", "generate-lockfile", "--offline"], package.folder)
            except Failed:
                call(["cargo", "generate-lockfile"], package.folder)
        call(["cargo", "fetch", "--locked"], package.folder)
        return package


class Package:
    """A package that `gen` works on."""

    def __init__(self, folder, pristine):
        self.folder, self.pristine = folder, pristine
        self.folder.mkdir(parents=True, exist_ok=True)

    def restore(self):
        """Takes back what `gen` has written; files that are as they were keep their times."""
        shutil.rmtree(self.folder / "regressions", ignore_errors=True)
        for source in self.pristine.rglob("*"):
            place = self.folder / source.relative_to(self.pristine)
            if source.is_dir():
                place.mkdir(exist_ok=True)
            elif not place.exists() or place.read_bytes() != source.read_bytes():
                shutil.copyfile(source, place)

    def touch(self):
        os.utime(self.folder / "src" / "lib.rs")

    def empty(self, *names):
        for name in names:
            shutil.rmtree(self.folder / name, ignore_errors=True)


def debug_info(program):
    """Bytes of its debug sections, as its section table has them (64-bit little-endian ELF)."""
    with open(program, "rb") as file:
        head = file.read(64)
        at, size, count, names = (
            int.from_bytes(head[0x28:0x30], "little"), int.from_bytes(head[0x3A:0x3C], "little"),
            int.from_bytes(head[0x3C:0x3E], "little"), int.from_bytes(head[0x3E:0x40], "little"),
        )
        file.seek(at)
        table = file.read(size * count)
        section = lambda number, field: int.from_bytes(table[number * size + field:][:8], "little")
        file.seek(section(names, 0x18))
        strings = file.read(section(names, 0x20))
    total = 0
    for number in range(count):
        name = strings[int.from_bytes(table[number * size:][:4], "little"):].split(b"\0", 1)[0]
        total += section(number, 0x20) if name.startswith((b".debug_", b".zdebug_")) else 0
    return total
