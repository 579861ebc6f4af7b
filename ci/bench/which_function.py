#!/usr/bin/env python3
"""Measures the rule "which function": of all functions on the stack that reproduce a crash, whose tests pass after the real fix?

    which_function.py CRASHPACK [ID...|all] [--middle] [--relapse PATH] [--json FILE] [--resume]

For each case of a crashpack: the crash is captured, `gen --every-frame` writes a test for every function that reproduces it,
and each of these tests is run on the fixed version by plain `cargo test`. The table compares the rankings by the
share of cases in which the test that they would choose passes after the fix.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

RANKINGS = ("innermost", "outermost", "public", "contract-breaking", "plain contract")


def objects(text):
    for line in text.splitlines():
        if line.startswith("{"):
            yield json.loads(line)


def measure(case, crashpack, tool, work):
    home = work / case.id
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    env = case.environment() | {"CARGO_TARGET_DIR": str(home / "target"), "RUST_BACKTRACE": "0", "CARGO_TERM_COLOR": "never"}

    def run(argv, cwd, stdin=subprocess.DEVNULL):
        return subprocess.run(argv, cwd=cwd, env=env, stdin=stdin, capture_output=True, text=True, errors="replace", timeout=1500)

    buggy = crashpack.setup(case, home / "buggy")
    run([tool, "relapse", "run", "--", "cargo", *case.cargo_run()], buggy, case.open_stdin())
    made = run([tool, "relapse", "gen", "--latest", "--every-frame", "--json"], buggy)
    result = next(objects(made.stdout), {})
    candidates = result.get("candidates") or []
    row = {"id": case.id, "status": result.get("status", "none"), "reason": result.get("reason"), "candidates": candidates}
    if not candidates or not case.get("fixed_version"):
        return row
    fixed = crashpack.setup(case, home / "fixed", fixed=True)
    for member in ("crate", "driver"):
        if (buggy / member / "regressions").is_dir():
            shutil.copytree(buggy / member / "regressions", fixed / member / "regressions", dirs_exist_ok=True)
    run([tool, "relapse", "sync"], fixed)
    for candidate in candidates:
        # One at a time: a test that does not build on the fixed side must not take the others with it.
        for other in candidates:
            path, aside = fixed / other["file"], fixed / (other["file"] + ".aside")
            if other is not candidate and path.is_file():
                path.rename(aside)
        run([tool, "relapse", "sync"], fixed)
        done = run(["cargo", "test", "-p", candidate["package"], *candidate["cargo_args"], candidate["test"], "--", "--exact"], fixed)
        candidate["passes"] = done.returncode == 0 and bool(re.search(rf"^test {re.escape(candidate['test'])} \.\.\. ok$", done.stdout, re.M))
        for other in candidates:
            aside = fixed / (other["file"] + ".aside")
            if aside.is_file():
                aside.rename(fixed / other["file"])
    shutil.rmtree(home / "target", ignore_errors=True)
    return row


def table(rows, library):
    """`library`: of each crash, the package that is at fault."""
    rows = [row for row in rows if any("passes" in c for c in row["candidates"])]
    print(f"\n{len(rows)} crashes with a published fix and at least one function that reproduces\n")
    print("| ranking | passes after the fix | and stands in the library at fault |\n| --- | --- | --- |")

    def line(name, chosen):
        passing = sum(any(c["passes"] for c in some) for some in chosen)
        within = sum(any(c["passes"] and c["package"] == library(row["id"]) for c in some) for row, some in zip(rows, chosen))
        print(f"| {name} | {passing} of {len(rows)} | {within} of {len(rows)} |")

    for ranking in RANKINGS:
        line(ranking, [[min(row["candidates"], key=lambda c: c["ranks"][ranking])] for row in rows])
    line("(any of them)", [row["candidates"] for row in rows])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("crashpack", metavar="CRASHPACK", type=Path)
    parser.add_argument("ids", metavar="ID", nargs="*", default=["all"])
    parser.add_argument("--middle", action="store_true")
    parser.add_argument("--relapse", default=shutil.which("cargo-relapse"))
    parser.add_argument("--json", type=Path)
    parser.add_argument("--resume", action="store_true")
    options = parser.parse_args()
    sys.path.insert(0, str(options.crashpack.resolve()))
    sys.dont_write_bytecode = True
    import crashpack

    tool = str(Path(options.relapse).resolve())
    os.environ["PATH"] = f"{Path(tool).parent}:{os.environ['PATH']}"
    ids = crashpack.all_ids() if "all" in options.ids else options.ids
    if options.middle:
        ids = (crashpack.ROOT / "middle.txt").read_text().split()
    rows = []
    if options.json and options.resume and options.json.is_file():
        rows = [row for row in objects(options.json.read_text()) if row["id"] in ids]
    done = {row["id"] for row in rows}
    with tempfile.TemporaryDirectory(prefix="which-function-") as work:
        for case_id in ids:
            if case_id in done:
                continue
            try:
                row = measure(crashpack.Case(case_id), crashpack, tool, Path(work))
            except (crashpack.Problem, OSError, subprocess.TimeoutExpired) as problem:
                row = {"id": case_id, "status": "problem", "reason": str(problem)[:200], "candidates": []}
            rows.append(row)
            shown = " ".join(f"{c['frame']}:{c['function']}={'pass' if c.get('passes') else 'FAIL'}" for c in row["candidates"])
            print(f"{case_id:30} {row['status']}  {shown}", flush=True)
            if options.json:
                with open(options.json, "a") as file:
                    file.write(json.dumps(row) + "\n")
            shutil.rmtree(Path(work) / case_id, ignore_errors=True)
    table(rows, lambda case_id: crashpack.Case(case_id)["crate"])


if __name__ == "__main__":
    main()
