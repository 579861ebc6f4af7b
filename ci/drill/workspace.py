"""A small workspace without dependencies, its states, and relapse started in it.

Each verb has a state in which it has something to do and the one that it leads to; both come from runs that nobody
disturbs. A state is every file of the user's; `.relapse` and `target` are put back as they were, so that builds are warm.
"""

import itertools
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

import processes

BUG, FIX = "&part[..1]", "part.chars().next().unwrap_or('?')"
FILES = {
    "Cargo.toml": '[package]\nname = "badges"\nversion = "0.1.0"\nedition = "2021"\ndefault-run = "badges"\n\n'
                  '[workspace]\n',
    "src/lib.rs": '''//! Badges.

/// The initials of a name.
pub fn initials(name: &str) -> String {
    name.split(' ').map(|part| &part[..1]).collect()
}

/// The third of some prices.
pub fn third(prices: &[u32]) -> u32 {
    prices[2]
}
''',
    "src/main.rs": '''fn main() {
    let mut words = std::env::args().skip(1);
    match words.next().as_deref() {
        Some("third") => println!("{}", badges::third(&words.map(|w| w.parse().unwrap()).collect::<Vec<_>>())),
        Some(name) => println!("{}", badges::initials(name)),
        None => {}
    }
}
''',
    # Threads, a child, caught panics, and time for a kill to come at.
    "src/bin/busy.rs": '''use std::process::Command;
use std::time::Duration;

fn main() {
    let is_child = std::env::args().nth(1).is_some();
    let child = (!is_child).then(|| Command::new(std::env::current_exe().unwrap()).arg("child").spawn().unwrap());
    let threads: Vec<_> = (0..4)
        .map(|thread| {
            std::thread::spawn(move || {
                for round in 0..8 {
                    let name = format!("\\u{d6}{thread}{round}");
                    let _ = std::panic::catch_unwind(|| badges::initials(&name));
                    std::thread::sleep(Duration::from_millis(25));
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    if let Some(mut child) = child {
        child.wait().unwrap();
    }
    badges::third(&[1, 2]);
}
''',
}
OURS = (".relapse", "target")


class Ran:
    """A command that has ended."""

    def __init__(self, status, out, err, seconds):
        self.status, self.out, self.err, self.seconds = status, out, err, seconds

    def __str__(self):
        return f"status {self.status}\n{self.out[-2000:]}\n{self.err[-3000:]}"

    def objects(self):
        return [json.loads(line) for line in self.out.splitlines()]


class Workspace:
    """The workspace in `folder`, on a disk of any kind; `base` holds what `.relapse` and the states are put back from."""

    marks = itertools.count()

    def __init__(self, folder, base, relapse):
        self.folder, self.base, self.relapse = pathlib.Path(folder), pathlib.Path(base), relapse
        self.temporary = self.base / "tmp"
        self.target = self.base / "target"
        for path in (self.folder, self.temporary):
            path.mkdir(parents=True, exist_ok=True)
        self.states = {}

    def environment(self, mark):
        kept = {name: value for name, value in os.environ.items()
                if not name.startswith(("CARGO_TARGET_", "CARGO_PROFILE_", "INSTA_", "RELAPSE"))
                and name not in ("CI", "RUSTFLAGS")}
        kept.update({processes.MARK: mark, "TMPDIR": str(self.temporary), "CARGO_NET_OFFLINE": "true", "NO_COLOR": "1",
                     "CARGO_TERM_COLOR": "never", "RUST_BACKTRACE": "0", "CARGO_TARGET_DIR": str(self.target)})
        return kept

    def start(self, words, program=None, **more):
        """Starts relapse (or another program) in a session of its own; `.mark` finds what it starts."""
        mark = f"{os.getpid()}-{next(self.marks)}"
        out, err = open(self.base / f"out-{mark}", "w+b"), open(self.base / f"err-{mark}", "w+b")
        process = subprocess.Popen([program or self.relapse, *words], cwd=self.folder, env=self.environment(mark),
                                   stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True, **more)
        process.mark, process.files, process.began = mark, (out, err), time.monotonic()
        return process

    def finish(self, process, seconds=300):
        try:
            status = process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            status = "timeout"
        took, texts = time.monotonic() - process.began, []
        for file in process.files:
            file.seek(0)
            texts.append(file.read().decode(errors="replace"))
            file.close()
            os.unlink(file.name)
        return Ran(status, *texts, took)

    def run(self, *words, program=None):
        return self.finish(self.start(words, program))

    def must(self, statuses, *words, program=None):
        ran = self.run(*words, program=program)
        if ran.status not in statuses:
            sys.exit(f"an undisturbed run failed: {' '.join(words)}: {ran}")
        return ran

    # States of the user's files.

    def tree(self):
        found = {}
        for place, folders, files in os.walk(self.folder):
            if pathlib.Path(place) == self.folder:
                folders[:] = [name for name in folders if name not in OURS]
            if not folders and not files and pathlib.Path(place) != self.folder:
                found[os.path.relpath(place, self.folder) + "/"] = b""
            for name in files:
                path = os.path.join(place, name)
                with open(path, "rb") as file:
                    found[os.path.relpath(path, self.folder)] = file.read()
        return found

    def set_tree(self, tree):
        now = self.tree()
        for path in now.keys() - tree.keys():
            if not path.endswith("/"):
                os.unlink(self.folder / path)
        for place, _, _ in os.walk(self.folder, topdown=False):
            if not any((self.folder / ours) in (pathlib.Path(place), *pathlib.Path(place).parents) for ours in OURS):
                try:
                    os.rmdir(place)
                except OSError:
                    pass
        for path, content in tree.items():
            if now.get(path) != content:
                (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
                (self.folder / path).write_bytes(content)

    def keep_store(self):
        shutil.rmtree(self.base / "store", ignore_errors=True)
        subprocess.run(["cp", "-a", str(self.folder / ".relapse"), str(self.base / "store")], check=True)

    def reset(self, tree):
        """The user's files, the store and the scratch as they are to be."""
        shutil.rmtree(self.folder / ".relapse", ignore_errors=True)
        shutil.rmtree(self.temporary, ignore_errors=True)
        self.temporary.mkdir()
        subprocess.run(["cp", "-a", str(self.base / "store"), str(self.folder / ".relapse")], check=True)
        self.set_tree(tree)

    def prepare(self):
        """Makes the states. `self.verbs`: name → (words, tree before, tree after, statuses of an undisturbed run)."""
        for path, text in FILES.items():
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / path).write_text(text)
        self.must([0], "generate-lockfile", program="cargo")
        self.must([0], "build", "-q", program="cargo")
        buggy = self.tree()
        self.must([101], "run", "--", "cargo", "run", "-q", "--", "Anna \u00d6sterberg")
        self.must([101], "run", "--", "cargo", "run", "-q", "--", "third", "4", "5")
        listed = self.must([0], "list", "--json").objects()
        self.ids = [next(entry["id"] for entry in listed if name in entry["function"]) for name in ("initials", "third")]
        gen = ["gen", self.ids[0]]
        self.must([0], *gen)
        tested = self.tree()
        name = next(pathlib.Path(path).stem for path in tested
                    if path.startswith("regressions/") and not path.endswith("mod.rs"))
        unwired = {path: content for path, content in tested.items() if not path.endswith("mod.rs")}
        unwired["src/lib.rs"] = buggy["src/lib.rs"]
        fix = lambda tree: {**tree, "src/lib.rs": tree["src/lib.rs"].replace(BUG.encode(), FIX.encode())}
        fixed = fix(tested)
        self.set_tree(fixed)
        review = self.run("review", "--accept")
        locked = self.tree()
        busy = str(self.target / "debug/busy")
        self.verbs = {
            "run": (["run", "--", busy], buggy, buggy, [101]),
            "run-cargo": (["run", "--", "cargo", "run", "-q", "--bin", "busy"], buggy, buggy, [101]),
            "gen": (gen, buggy, tested, [0]),
            "sync": (["sync"], unwired, tested, [0]),
            "rm": (["rm", "--regression", name], tested, buggy, [0]),
            "rm-snapshot": (["rm", *self.ids], buggy, buggy, [0]),
        }
        if review.status == 69:
            print("insta is not to be had offline: the parts with an accepted outcome are skipped (cargo fetch it once)")
        elif review.status != 0:
            sys.exit(f"an undisturbed run failed: review --accept: {review}")
        else:
            self.verbs["review"] = (["review", "--accept"], fixed, locked, [0])
            self.verbs["rm-locked"] = (["rm", "--regression", name], locked, fix(buggy), [0])
        self.keep_store()
