#!/usr/bin/env python3
"""The drill: relapse is killed, cut off from its disk and started twice at once, and must harm nothing.

`python3 ci/drill` is the whole of it; `--quick` what CI runs: some of each part, in 90 seconds. In: a built cargo-relapse. Out: a table of what
happened and status 0; 1 with the words that replay a round where something did not hold; 69 where something is missing.
Works in a folder of its own, which goes at the end, as does every process that it starts. Linux, Python 3.9 or newer.
"""

import argparse
import collections
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import disks
import kills
import pairs
import processes
from workspace import Workspace

HERE = pathlib.Path(__file__).resolve().parent.parent.parent
PARTS = [*kills.GROUPS, "pairs", "disks"]


class Report:
    def __init__(self, options):
        self.kills = 0
        self.rows, self.failures, self.linger = collections.defaultdict(collections.Counter), [], 0.0
        self.options, self.left_out = options, 0

    def late(self, share=1.0):
        """Whether this share of the time is over: then what was about to begin is left out."""
        late = self.is_late(share)
        self.left_out += late
        return late

    def is_late(self, share=1.0):
        seconds = self.options.seconds
        return seconds is not None and time.monotonic() - self.options.began > share * seconds

    def add(self, verb, kind, seen, linger):
        self.rows[verb, kind][seen] += 1
        self.linger = max(self.linger, linger)

    def fail(self, text, replay):
        self.failures.append(text)
        print(f"FAILED {text}\n  again: python3 ci/drill {replay}", flush=True)

    def show(self):
        for (verb, kind), seen in self.rows.items():
            what = ", ".join(f"{count} {name}" for name, count in sorted(seen.items()))
            print(f"{verb:18} {kind:18} {sum(seen.values()):4} rounds: {what}")
        total = sum(sum(seen.values()) for seen in self.rows.values())
        if self.left_out:
            print(f"{self.left_out} rounds were left out: the time was over")
        kills = f", {self.kills} kills" if self.kills else ""
        print(f"{total} rounds{kills}, {len(self.failures)} failures; the longest that anything lived on: {self.linger:.1f} s")


def arguments():
    parser = argparse.ArgumentParser(prog="ci/drill", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=300, help="rounds that end in a kill (300)")
    parser.add_argument("--first", type=int, default=0, help="number of the first round, to replay one")
    parser.add_argument("--seed", type=int, help="of the random moments (random)")
    parser.add_argument("--only", action="append", choices=PARTS, help="only this part (may be given often)")
    parser.add_argument("--pairs", type=int, help="how often each pair is started at once (a 50th of the rounds)")
    parser.add_argument("--disks", type=int, help="how often each verb meets a full disk (a 30th of the rounds)")
    parser.add_argument("--quick", action="store_true", help="20 rounds and one of everything else, within 90 seconds")
    parser.add_argument("--seconds", type=float, help="begin nothing new after this time")
    parser.add_argument("--relapse", default=str(HERE / "target/debug/cargo-relapse"), help="the program to be tested")
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.seconds = 20, options.seconds or 80
    options.began = time.monotonic()
    options.relapse = str(pathlib.Path(options.relapse).resolve())
    options.seed = random.SystemRandom().randrange(1 << 31) if options.seed is None else options.seed
    options.pairs = max(1, options.rounds // 50) if options.pairs is None else options.pairs
    options.disks = max(1, options.rounds // 30) if options.disks is None else options.disks
    return options


def missing(text):
    print(text, file=sys.stderr)
    sys.exit(69)


def main():
    options = arguments()
    if not sys.platform.startswith("linux"):
        missing("the drill needs Linux")
    if not os.access(options.relapse, os.X_OK):
        missing(f"{options.relapse} is not here: cargo build -p cargo-relapse, or --relapse PATH")
    if not shutil.which("cargo"):
        missing("cargo is not here: https://rustup.rs")
    # A drill that is stopped takes what it has started with it.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    processes.become_subreaper()
    report = Report(options)
    folder = pathlib.Path(options.inside or tempfile.mkdtemp(prefix="relapse-drill-"))
    try:
        if options.inside:
            disks.tmpfs(folder / "work", 256)
        workspace = Workspace(folder / "work", folder / "base", options.relapse)
        workspace.prepare()
        if options.inside:
            disks.rounds(workspace, options, report)
        else:
            print(f"seed {options.seed}, in {folder}", flush=True)
            if not options.only or set(options.only) & set(kills.GROUPS):
                kills.rounds(workspace, options, report)
            pairs.rounds(workspace, options, report)
    finally:
        processes.end_all()
        if not options.inside:
            shutil.rmtree(folder, ignore_errors=True)
    report.show()
    status = 1 if report.failures else 0
    if not options.inside and (not options.only or "disks" in options.only):
        status = max(status, disks_inside(options))
    sys.exit(status)


def disks_inside(options):
    """The part that mounts, as a process of its own in a namespace of its own."""
    words = disks.namespace()
    if words is None:
        print("full disks and read-only folders are skipped: mounting is not permitted here (root, or user namespaces)")
        return 0
    folder = tempfile.mkdtemp(prefix="relapse-drill-")
    try:
        more = [] if options.seconds is None else ["--seconds", str(options.seconds - (time.monotonic() - options.began))]
        more += ["--inside", folder, "--seed", str(options.seed), "--disks", str(options.disks), "--relapse", options.relapse]
        status = subprocess.run([*words, sys.executable, str(pathlib.Path(__file__).parent), *more]).returncode
        if status < 0:
            print(f"FAILED the part with disks was ended by signal {-status}", flush=True)
        return 1 if status < 0 else status
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
