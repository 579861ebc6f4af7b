#!/usr/bin/env python3
"""Runs the test suites of well-known crates plainly and under `cargo relapse run`, and compares everything.

In: the published packages, taken from crates.io by cargo, and a built cargo-relapse. Out: a table, JSON on demand, and
status 0 where nothing differs, 1 where something does, 69 where something is missing. Of each suite, by `cargo test`
and by `cargo nextest run`: two plain runs tell what varies by itself, then three runs under relapse in a row must have
the same tests with the same results, the same exit status, no process that is left, and no changed or new file
outside `.relapse` and `target`. Writes below one folder only (--work); needs only Python's standard library.
"""

import argparse
import collections
import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(HERE / "ci/drill"))

import processes  # noqa: E402

MARK = processes.MARK

# Name, version, cargo's arguments, what the suite has that a tracer could disturb.
SUITES = [
    ("tokio", "1.47.1", ["--features", "full,test-util", "--lib", "--test", "*panic*", "--test", "process*", "--test", "signal*",
                         "--test", "rt_*", "--test", "task_*", "--test", "join_*", "--test", "time_*",
                          "--test", "uds*"],
     "threads, processes, signals, catch_unwind, timing"),
    ("rayon-core", "1.13.0", [], "threads, processes that overflow their stack, should_panic, doctests"),
    ("crossbeam-utils", "0.8.21", [], "threads, parking, doctests"),
    ("crossbeam-epoch", "0.9.18", [], "threads, thread-local destructors, doctests"),
    ("crossbeam-channel", "0.5.15", ["--lib", "--doc", "--test", "after", "--test", "ready", "--test", "tick",
                                     "--test", "thread_locals", "--test", "same_channel", "--test", "zero"],
     "threads, timing, doctests"),
    ("insta", "1.43.2", ["--all-features"], "should_panic, snapshots, environment variables, cargo as a child"),
    ("assert_cmd", "2.0.17", [], "processes, cargo's runner variables, doctests"),
    ("signal-hook", "0.3.18", ["--features", "iterator,extended-siginfo"], "signals, processes, handlers, doctests"),
    ("subprocess", "0.2.15", [], "processes, pipes, signals, process groups, doctests"),
]

RUNNING = re.compile(r"^\s+Running (.+?)(?: \(.*\))?$")
DOCTESTS = re.compile(r"^\s+Doc-tests (\S+)")
TEST = re.compile(r"^test (.+?)(?: - should panic)? \.\.\. (ok|FAILED|ignored)")
TALLY = re.compile(r"test result: (\S+) (\d+) passed; (\d+) failed; (\d+) ignored")
NEXTEST = re.compile(r"^\s*([A-Z][A-Z0-9 +/-]*?) \[[^\]]*\] *(?:\([^)]*\))? *(\S+) +(\S.*)$")
RANDOM = re.compile(r"[A-Za-z0-9_]{6,}$|\d+")


def missing(text):
    print(text, file=sys.stderr)
    sys.exit(69)


def tree(folder, left_out=()):
    """Each file below a folder with its kind, mode and content."""
    found = {}
    for place, folders, files in os.walk(folder):
        relative = os.path.relpath(place, folder)
        if relative == ".":
            folders[:] = [name for name in folders if name not in left_out]
        for name in folders + files:
            path = os.path.join(place, name)
            state = os.lstat(path)
            if os.path.islink(path):
                content = os.readlink(path)
            elif name in files and os.path.isfile(path):
                with open(path, "rb") as file:
                    content = hashlib.sha256(file.read()).hexdigest()
            else:
                content = ""
            found[os.path.normpath(os.path.join(relative, name))] = (state.st_mode, content)
    return found


def changes(before, after):
    return sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))


def kinds(names):
    """Names without what is random in them."""
    return collections.Counter(RANDOM.sub("*", name.split(os.sep)[0]) for name in names)


def left_over(mark):
    """What a command has left, after a moment for what is just ending; and how many had ended without their parent's
    having waited, which is init's matter and a question of time in any suite. All of it is ended and reaped."""
    deadline = time.monotonic() + 1
    ended = [name for name, state in processes.children().values() if state == "Z"]
    seen = collections.Counter(name for name in ended if name.startswith("cargo-relapse"))
    processes.reap()
    while time.monotonic() < deadline and processes.marked(mark) | processes.children():
        processes.reap()
        time.sleep(0.02)
    _, left = processes.wait_for_end(mark, 0)
    seen.update(f"{RANDOM.sub('*', name)} ({state})" for name, state in left.values())
    return seen, len(ended)


def results_of_test(text):
    """`{(target, test): result}` and the tallies of `cargo test`."""
    found, tallies, target = {}, [], ""
    for line in text.splitlines():
        if match := RUNNING.match(line):
            target = match[1]
        elif match := DOCTESTS.match(line):
            target = f"doc {match[1]}"
        elif match := TEST.match(line):
            found[f"{target}: {match[1]}"] = match[2]
        if match := TALLY.search(line):
            tallies.append(f"{target}: {' '.join(match.groups())}")
    return found, sorted(tallies)


def results_of_nextest(text):
    found, tallies = {}, []
    for line in text.splitlines():
        match = NEXTEST.match(line)
        if match and match[1] not in ("SLOW", "START", "Summary", "TERMINATING"):
            found[f"{match[2]}: {match[3]}"] = match[1]
    return found, tallies


class Round:
    """One run of a suite, and all that can be seen of it."""

    def __init__(self, suite, command, environment, folder, stdin, seconds):
        mark = f"{os.getpid()}-{time.monotonic_ns()}"
        home, temporary = suite / "home", pathlib.Path(tempfile.mkdtemp(prefix="tmp-", dir=suite))
        environment = {**environment, MARK: mark, "HOME": str(home), "TMPDIR": str(temporary)}
        before, home_before = tree(folder, ("target", ".relapse")), tree(home)
        start = time.monotonic()
        with open(suite / "output", "w+b") as output:
            end = subprocess.PIPE if stdin == "pipe" else subprocess.DEVNULL
            process = subprocess.Popen(command, cwd=folder, env=environment, stdin=end, stdout=output,
                                       stderr=subprocess.STDOUT, start_new_session=True)
            if process.stdin:
                process.stdin.close()
            try:
                self.status = process.wait(timeout=seconds)
            except subprocess.TimeoutExpired:
                self.status = "timeout"
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            self.seconds = time.monotonic() - start
            self.left, self.orphans = left_over(mark)
            output.seek(0)
            self.text = output.read().decode(errors="replace")
        self.changed = changes(before, tree(folder, ("target", ".relapse")))
        self.home = changes(home_before, tree(home))
        self.temporary = kinds(os.listdir(temporary))
        shutil.rmtree(temporary, ignore_errors=True)
        parse = results_of_nextest if "nextest" in command else results_of_test
        self.results, self.tallies = parse(self.text)

    def counts(self):
        return dict(sorted(collections.Counter(self.results.values()).items()))


def fetch(name, version, work):
    """A copy of the published package, alone."""
    folder = work / f"{name}-{version}" / "package"
    if (folder / "Cargo.toml").exists():
        return folder
    probe = work / f"{name}-{version}" / "probe"
    (probe / "src").mkdir(parents=True, exist_ok=True)
    (probe / "src/lib.rs").write_text("")
    (probe / "Cargo.toml").write_text(
        f'[package]\nname = "probe"\nversion = "0.0.0"\nedition = "2021"\n[workspace]\n[dependencies]\n'
        f'{name} = "={version}"\n')
    found = subprocess.run(["cargo", "metadata", "--format-version", "1"], cwd=probe, capture_output=True, text=True)
    if found.returncode != 0:
        missing(f"{name} {version} is not to be had from crates.io (cargo metadata): {found.stderr.strip()}")
    package = next(p for p in json.loads(found.stdout)["packages"] if (p["name"], p["version"]) == (name, version))
    shutil.copytree(pathlib.Path(package["manifest_path"]).parent, folder)
    manifest = folder / "Cargo.toml"
    if "[workspace]" not in manifest.read_text():
        with open(manifest, "a") as file:
            file.write("\n[workspace]\n")
    shutil.rmtree(probe)
    return folder


def environment():
    """Ours, without what would change a suite's mind."""
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith(("CARGO_TARGET_", "CARGO_PROFILE_", "INSTA_", "NEXTEST", "RELAPSE"))
            and name not in ("CI", "RUSTFLAGS", "RUST_BACKTRACE", "CARGO_BUILD_TARGET_DIR")}
    home = pathlib.Path.home()
    kept.setdefault("CARGO_HOME", str(home / ".cargo"))
    kept.setdefault("RUSTUP_HOME", str(home / ".rustup"))
    kept.update(CARGO_TERM_COLOR="never", NO_COLOR="1", CARGO_TERM_PROGRESS_WHEN="never",
                GIT_CEILING_DIRECTORIES="/", NEXTEST_HIDE_PROGRESS_BAR="1")
    return kept


def compare(plain, traced):
    """What a run under relapse has that no plain run had."""
    found = []
    varying = {test for one in plain for test in one.results
               if len({other.results.get(test) for other in plain}) > 1}
    statuses = {one.status for one in plain}
    if traced.status not in statuses:
        found.append(f"exit status {traced.status}, plainly {sorted(map(str, statuses))}")
    names = plain[0].results.keys() | traced.results.keys()
    for test in sorted(names - varying):
        mine, theirs = plain[0].results.get(test), traced.results.get(test)
        if mine != theirs:
            found.append(f"{test}: {theirs}, plainly {mine}")
    if not varying and not any(one.tallies == traced.tallies for one in plain):
        found.append("other tallies")
    for what in ("changed", "home"):
        others = {path for one in plain for path in getattr(one, what)}
        new = [path for path in getattr(traced, what) if path not in others]
        if new:
            found.append(f"changed files: {new[:5]}")
    for what, words in (("temporary", "temporary files"), ("left", "processes")):
        most = collections.Counter()
        for one in plain:
            most |= getattr(one, what)
        new = getattr(traced, what) - most
        if new:
            found.append(f"{words} are left: {dict(new)}")
    return found, sorted(varying)


def check(name, version, arguments, options, relapse, work, report):
    folder = fetch(name, version, work)
    suite, env = folder.parent, environment()
    (suite / "home").mkdir(exist_ok=True)
    build = subprocess.run(["cargo", "test", "--no-run", *[a for a in arguments if a != "--doc"]], cwd=folder, env=env,
                           capture_output=True, text=True)
    if build.returncode != 0:
        print(build.stderr[-3000:], file=sys.stderr)
        row = {"suite": name, "version": version, "tool": "test --no-run", "tests": 0, "results": {}, "varying": [],
               "rounds": 0, "snapshots": 0, "seconds": 0, "seconds_traced": 0, "differences": ["it does not build"]}
        report.append(row)
        return show(row)
    tools = {"test": ["cargo", "test", "--no-fail-fast", *arguments]}
    if "--doc" in arguments:
        # Doctests alone, or everything else: cargo does not mix them by name.
        rest = [argument for argument in arguments if argument != "--doc"]
        tools = {"test": ["cargo", "test", "--no-fail-fast", *rest],
                 "test --doc": ["cargo", "test", "--no-fail-fast", "--doc"]}
        arguments = rest
    if options.nextest:
        tools["nextest"] = ["cargo", "nextest", "run", "--no-fail-fast", "--status-level", "all", *arguments]
    for tool, command in tools.items():
        if tool == "nextest":
            # Whatever nextest wants to build is built before anything is compared.
            subprocess.run([*command[:2], "list", *arguments], cwd=folder, env=env, capture_output=True)
        stdins = ["null", "pipe"]
        plain = [Round(suite, command, env, folder, stdins[at % 2], options.timeout) for at in range(options.plain)]
        traced = []
        differences, varying = [], []
        for at in range(options.rounds):
            one = Round(suite, [relapse, "run", "--", *command], env, folder, stdins[at % 2], options.timeout)
            found, varying = compare(plain, one)
            while found and len(plain) < options.plain + options.more:
                # Does it vary by itself, only more rarely?
                plain.append(Round(suite, command, env, folder, stdins[len(plain) % 2], options.timeout))
                found, varying = compare(plain, one)
            if found and options.keep_output:
                (suite / f"output-{tool.replace(' ', '')}-{at}").write_text(one.text)
                (suite / f"output-{tool.replace(' ', '')}-plain").write_text(plain[0].text)
            differences += [f"round {at + 1}: {text}" for text in found]
            traced.append(one)
        snapshots = len(list((folder / ".relapse/snapshots").glob("*"))) if (folder / ".relapse").exists() else 0
        shutil.rmtree(folder / ".relapse", ignore_errors=True)
        times = [round(sum(one.seconds for one in rounds) / max(1, len(rounds)), 2) for rounds in (plain, traced)]
        row = {"suite": name, "version": version, "tool": tool, "tests": len(plain[0].results),
               "results": plain[0].counts(), "status": plain[0].status, "varying": varying, "rounds": len(traced),
               "snapshots": snapshots,
               "orphans_that_had_ended": {"plain": [one.orphans for one in plain], "traced": [one.orphans for one in traced]}, "seconds": times[0], "seconds_traced": times[1], "differences": differences}
        if not plain[0].results:
            row["differences"] = [*differences, "no test was found in its output"]
        report.append(row)
        show(row)


def show(row):
    counts = ", ".join(f"{count} {what}" for what, count in row["results"].items())
    verdict = "identical" if not row["differences"] else f"{len(row['differences'])} differences"
    print(f"{row['suite'] + ' ' + row['version']:26} {row['tool']:11} {counts:42} {row['seconds']:7.1f} s "
          f"{row['seconds_traced']:7.1f} s  {row['snapshots']:4}  {row['rounds']} rounds {verdict}"
          f"{', ' + str(len(row['varying'])) + ' vary by themselves' if row['varying'] else ''}", flush=True)
    for text in row["differences"]:
        print(f"    {text}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--relapse", default=str(HERE / "target/debug/cargo-relapse"), help="the program to be tested")
    parser.add_argument("--work", default=str(pathlib.Path(tempfile.gettempdir()) / "relapse-foreign-suites"),
                        help="the folder for packages and builds, kept for the next time")
    parser.add_argument("--only", action="append", metavar="SUITE", help="only this suite (may be given often)")
    parser.add_argument("--rounds", type=int, default=3, help="runs under relapse (3)")
    parser.add_argument("--plain", type=int, default=2, help="plain runs before (2)")
    parser.add_argument("--more", type=int, default=4, help="further plain runs where something differs (4)")
    parser.add_argument("--timeout", type=int, default=1800, help="seconds for one run (1800)")
    parser.add_argument("--json", metavar="FILE", help="where to write the results as JSON")
    parser.add_argument("--keep-output", action="store_true", help="keep the output of rounds that differ")
    parser.add_argument("--no-nextest", dest="nextest", action="store_false", help="cargo test only")
    options = parser.parse_args()
    if not os.access(options.relapse, os.X_OK):
        missing(f"{options.relapse} is not here: cargo build -p cargo-relapse, or --relapse PATH")
    if not shutil.which("cargo"):
        missing("cargo is not here: https://rustup.rs")
    if options.nextest and subprocess.run(["cargo", "nextest", "--version"], capture_output=True).returncode != 0:
        print("cargo-nextest is not here (cargo install cargo-nextest --locked): its half is skipped")
        options.nextest = False
    suites = [suite for suite in SUITES if not options.only or suite[0] in options.only]
    if not suites:
        missing(f"no such suite; there are {', '.join(suite[0] for suite in SUITES)}")
    # A run that is stopped takes what it has started with it.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    processes.become_subreaper()
    work = pathlib.Path(options.work).resolve()
    work.mkdir(parents=True, exist_ok=True)
    print(f"{'suite':26} {'by':11} {'results':42} {'plain':>9} {'traced':>9}  kept")
    report = []
    try:
        for name, version, arguments, _ in suites:
            check(name, version, arguments, options, str(pathlib.Path(options.relapse).resolve()), work, report)
    finally:
        processes.end_all()
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(report, indent=1) + "\n")
    bad = [row for row in report if row["differences"]]
    print(f"{len(report)} suites by tool, {len(bad)} with differences")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
