#!/usr/bin/env python3
"""Measures relapse against what a user would use instead, in one run, and prints a table.

    bench.py [--only NAME]... [--json FILE] [--markdown FILE] [--document] [--tool PATH] [--work FOLDER]
             [--rounds N] [--list]

Builds its own small programs in the work folder (relapse-bench-UID in the temporary folder; it stays for the next run, and
takes about a GiB), runs each measurement and its counterpart in turn, and takes medians; ratios stand with their quartiles
over the rounds. Needs Linux on x86-64, cargo and rustc, gdb, and the tool as a release build; it says what is missing and
ends with status 69. The whole run takes 15 minutes at most; what there is no time for is said, and ends it with status 1.
A figure of a machine that does something else besides is worth little.
"""

import argparse
import datetime
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measurements import MEASUREMENTS, Bench, ratio
from programs import REPOSITORY, Programs
from series import Failed

LONGEST = 15 * 60
BEGIN = "<!-- measured:begin (written by ci/bench/bench.py --document; no numbers by hand) -->"
END = "<!-- measured:end -->"
NEEDED = {
    "cargo": "install Rust 1.88 or newer (https://rustup.rs)",
    "rustc": "install Rust 1.88 or newer (https://rustup.rs)",
    "gdb": "apt-get install gdb",
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = list(MEASUREMENTS)
    parser.add_argument("--only", action="append", choices=names, metavar="NAME", help="this one; may be repeated")
    parser.add_argument("--json", type=Path, metavar="FILE", help="all samples, with the machine")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="the table; it is printed anyway")
    parser.add_argument("--document", action="store_true", help="the table into docs/performance.md, between its marks")
    parser.add_argument("--tool", type=Path, default=REPOSITORY / "target/release/cargo-relapse", metavar="PATH")
    work = Path(tempfile.gettempdir()) / f"relapse-bench-{os.getuid()}"
    parser.add_argument("--work", type=Path, default=work, metavar="FOLDER", help="a folder in no cargo project")
    parser.add_argument("--rounds", type=int, default=9, metavar="N", help="of each measurement (9)")
    parser.add_argument("--list", action="store_true", help="the names of the measurements")
    args = parser.parse_args()
    if args.list:
        print("\n".join(MEASUREMENTS))
        return 0
    missing = lacking(args.tool)
    if missing:
        print("\n".join(missing), file=sys.stderr)
        return 69
    work = args.work.resolve()
    # A program outside of any project has to be measured as that.
    if any((above / "Cargo.toml").exists() for above in [work, *work.parents]):
        print(f"{work} is in a cargo project: choose another folder for --work", file=sys.stderr)
        return 64
    result = {"machine": machine(args.tool), "rows": [], "left_out": {}}
    # What is measured is kept at once: a run may be ended from outside.
    measure(args, work, result, lambda: keep(args, result))
    print(markdown(result))
    return 1 if result["left_out"] else 0


def keep(args, result):
    table = markdown(result)
    if args.json:
        args.json.write_text(json.dumps(result, indent=1) + "\n")
    if args.markdown:
        args.markdown.write_text(table + "\n")
    if args.document:
        document(table)


def measure(args, work, result, kept):
    end = time.monotonic() + LONGEST
    bench = Bench(args.tool.resolve(), Programs(work), args.rounds, end)
    for name in args.only or MEASUREMENTS:
        function, price = MEASUREMENTS[name]
        if time.monotonic() + price > end:
            result["left_out"][name] = "there was no time left"
            kept()
            continue
        print(f"{name} …", file=sys.stderr, flush=True)
        try:
            result["rows"] += function(bench)
        except (Failed, OSError, subprocess.TimeoutExpired) as error:
            result["left_out"][name] = str(error)
            print(f"{name} failed: {error}", file=sys.stderr)
        kept()


def document(table):
    """Puts the table between the marks of docs/performance.md."""
    path = REPOSITORY / "docs" / "performance.md"
    text = path.read_text()
    (before, rest), (_, after) = text.split(BEGIN + "\n"), text.split(END)
    assert END in rest
    path.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}")


def lacking(tool):
    missing = [f"{name} is missing: {how}" for name, how in NEEDED.items() if not shutil.which(name)]
    if not tool.is_file():
        missing.append(f"{tool} is missing: cargo build --release -p cargo-relapse")
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        missing.append("Linux on x86-64 is missing: nothing else can be measured")
    return missing


def machine(tool):
    """Where and when: figures mean nothing without it."""
    first = lambda command: subprocess.run(command, capture_output=True, text=True, check=False).stdout.split("\n")[0]
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown processor")
    return {
        "date": datetime.date.today().isoformat(), "cores": os.cpu_count(), "processor": model,
        "kernel": ".".join(platform.release().split(".")[:2]), "load": os.getloadavg()[0], "tool": first([tool, "--version"]),
        "rustc": first(["rustc", "--version"]), "gdb": first(["gdb", "--version"]),
    }


def markdown(result):
    where = result["machine"]
    lines = [
        f"{where['date']}, {where['cores']} cores of an {where['processor']}, Linux {where['kernel']},",
        f"{where['rustc']}, {where['gdb']}; load at the start {where['load']:.2f}.", "",
        "| measured | instead | relapse | ratio (quartiles) | processor time | aim | reached |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    notes = []
    for row in result["rows"]:
        shown = row.get("less") or row.get("wall")
        text = ratio(shown) if shown else ""
        if row.get("less"):
            text = f"{shown['ratio']:.1f} × less ({shown['low']:.1f} to {shown['high']:.1f})"
        cpu = ratio(row["cpu"]) if row.get("cpu") else ""
        reached = {True: "yes", False: "**no**", None: ""}[row["reached"]]
        cells = [row["what"], row["instead"], row["relapse"], text, cpu, row["aim"], reached]
        lines.append(f"| {' | '.join(cells)} |")
        notes += [f"- {row['what']}: {'; '.join(row['notes'])}."] if row["notes"] else []
    notes += [f"- **left out**: {name}: {reason.splitlines()[0]}" for name, reason in result["left_out"].items()]
    return "\n".join([*lines, "", *notes])


if __name__ == "__main__":
    sys.exit(main())
