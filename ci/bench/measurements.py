"""What is measured, against what: each function gives rows of the table. A row compares relapse with what a user would use
instead, and says what it aims at; facts that are no comparison stand in its notes."""

import json
import os
import re
import shutil

from programs import debug_info
from series import Failed, Variant, compare, interleaved, median, run

THREADS, PROCESSES, PANICS = 1000, 200, 10_000
# Calls that a second run has to be cheap at, and the hashes that all calls together make: about a second.
FEW_CALLS, HASHES = 5_000, 900_000_000


class Bench:
    """What all measurements share."""

    def __init__(self, tool, programs, rounds, last):
        self.tool, self.programs, self.rounds, self.last = str(tool), programs, rounds, last

    def in_turn(self, variants, rounds, seconds):
        return interleaved(variants, rounds, seconds, self.last)

    def traced(self, command, folder=None, status=0):
        folder = folder or self.programs.folder
        return Variant([self.tool, "run", "--", *command], folder, lambda: self.forget(folder), status)

    def plain(self, command, status=0):
        return Variant(list(command), self.programs.folder, None, status)

    def forget(self, folder):
        """An empty store, so that no run finds more than the one before."""
        shutil.rmtree(f"{folder}/.relapse/snapshots", ignore_errors=True)
        shutil.rmtree(f"{folder}/.relapse/runs", ignore_errors=True)


def figures(samples):
    """The samples as they go into the JSON, with their medians."""
    return {
        name: {
            "wall": [sample.wall for sample in series], "cpu": [sample.cpu for sample in series],
            "median_wall": median([sample.wall for sample in series]),
            "median_cpu": median([sample.cpu for sample in series]),
        }
        for name, series in samples.items()
    }


def walls(samples, name):
    return [sample.wall for sample in samples[name]]


def cpus(samples, name):
    return [sample.cpu for sample in samples[name]]


def slowdown(what, samples, aim, notes=()):
    """A row: the same program alone and under the tracer, and under a tracer that does nothing where there is one."""
    row = {
        "what": what, "aim": f"≤ {aim}", "samples": figures(samples),
        "instead": f"alone: {seconds(median(walls(samples, 'alone')))}",
        "relapse": seconds(median(walls(samples, "relapse"))),
        "wall": compare(walls(samples, "relapse"), walls(samples, "alone")),
        "cpu": compare(cpus(samples, "relapse"), cpus(samples, "alone")),
        "notes": list(notes),
    }
    row["reached"] = row["wall"]["ratio"] <= aim
    if "kernel" in samples:
        row["kernel"] = compare(walls(samples, "kernel"), walls(samples, "alone"))
        own = compare(walls(samples, "relapse"), walls(samples, "kernel"))
        row["own"] = own
        row["kernel_cpu"] = compare(cpus(samples, "kernel"), cpus(samples, "alone"))
        row["notes"].append(
            f"a tracer that does nothing: {ratio(row['kernel'])} of alone by the clock, {ratio(row['kernel_cpu'])} by "
            f"processor time; relapse over that one: {ratio(own)} by the clock"
        )
    return row


def cpu(bench):
    program = bench.programs.small("cpu")
    samples = bench.in_turn({"alone": bench.plain([program]), "relapse": bench.traced([program])}, bench.rounds, 75)
    return [slowdown("one thread that hashes and sorts", samples, 1.02)]


def threads(bench):
    program, per_millisecond = work(bench)
    rounds = str(per_millisecond * 5 // 4)
    words = [program, "threads", str(THREADS), rounds]
    return [followed(bench, f"{THREADS:,} threads of 1.25 ms work each", words, 1.10)]


def processes(bench):
    program, per_millisecond = work(bench)
    count = [program, "processes", str(PROCESSES)]
    return [
        followed(bench, f"{PROCESSES} processes of 5 ms work each", [*count, str(per_millisecond * 5)], 1.10),
        followed(bench, f"{PROCESSES} processes that do nothing", [*count, "1"], 1.10),
    ]


def work(bench):
    program = bench.programs.small("work")
    return program, int(run(bench.plain([program, "calibrate"]), 60).output)


def followed(bench, what, words, aim):
    follower = bench.programs.small("follower")
    variants = {
        "alone": bench.plain(words), "relapse": bench.traced(words), "kernel": bench.plain([follower, *words]),
    }
    return slowdown(what, bench.in_turn(variants, bench.rounds * 2, 40), aim)


def panic(bench):
    return [added(bench, "hello-size", bench.programs.small("panics"), bench.rounds * 2)]


def large_panic(bench):
    return [added(bench, "large", bench.programs.large("large"), bench.rounds)]


def added(bench, size, program, rounds):
    """A panic's added wall time: what the program takes longer than alone, under relapse and under gdb."""
    gdb = ["gdb", "-nx", "-batch", "-ex", "break rust_panic", "-ex", "run", "-ex", "bt full", "--args", program, "now"]
    variants = {
        "alone": bench.plain([program, "now"], 101), "relapse": bench.traced([program, "now"], status=101),
        # gdb ends well whatever becomes of the program.
        "gdb": bench.plain(gdb),
        "calm": bench.plain([program]), "calm relapse": bench.traced([program]),
    }
    samples = bench.in_turn(variants, rounds, 120)
    if "price" not in samples["gdb"][-1].output:
        raise Failed(f"gdb has not shown the stack:\n{samples['gdb'][-1].output[-2000:]}")
    below = lambda name, base: [a - b for a, b in zip(walls(samples, name), walls(samples, base))]
    relapse, debugger = below("relapse", "alone"), below("gdb", "alone")
    start = below("calm relapse", "calm")
    own = [max(all_of_it - before, 0.0) for all_of_it, before in zip(relapse, start)]
    less = compare(debugger, relapse)
    return {
        "what": f"a panic in a {size} program, {debug_info(program) / 2**20:.1f} MiB of debug info: wall time added",
        "aim": "≥ 20 × less than gdb", "samples": figures(samples),
        "instead": f"gdb's `bt full`: {seconds(median(debugger))}", "relapse": seconds(median(relapse)),
        "less": less, "reached": less is not None and less["ratio"] >= 20,
        "cpu": compare(cpus(samples, "relapse"), cpus(samples, "gdb")),
        "notes": [f"of that {seconds(median(own))} for the panic, {seconds(median(start))} for following at all"],
    }


def caught(bench):
    program = bench.programs.small("caught")
    words = [program, str(PANICS)]
    samples = bench.in_turn({"alone": bench.plain(words), "relapse": bench.traced(words)}, bench.rounds, 60)
    kept = run(Variant([bench.tool, "list", "--json"], bench.programs.folder), 60).output
    kept = [json.loads(line) for line in kept.splitlines() if line.startswith("{")]
    if not kept:
        raise Failed("nothing was kept of the caught panics")
    row = slowdown(f"{PANICS:,} panics of one kind, each caught", samples, 1.10)
    extra = (median(walls(samples, "relapse")) - median(walls(samples, "alone"))) / PANICS
    row.update(aim="none", reached=None)
    row["notes"] += [
        f"{extra * 1e6:.0f} µs added a panic, over all of them",
        f"kept: {len(kept)} snapshots, counted {max(snapshot['count'] for snapshot in kept):,} times",
    ]
    return [row]


def second_run(bench):
    """The second run of a crashed command against the command by itself, over the calls of a watched function. Its work
    is the same at each number of calls, as long as a call can be made that short."""
    program, runner = bench.programs.small("hot"), bench.programs.second_run()
    few = again(bench, program, runner, FEW_CALLS, bench.rounds, WATCHED)
    few.update(aim="≤ 1.1", reached=few["wall"]["ratio"] <= 1.1)
    curve = [again(bench, program, runner, 10 ** power, max(bench.rounds // 3, 3), WATCHED) for power in range(2, 9)]
    return [few, *curve]


def second_run_with_makers(bench):
    """The same where a value is made by calls, which are kept: the function that gives it, and one that changes it."""
    program, runner = bench.programs.small("made"), bench.programs.second_run()
    lines = bench.programs.source("made").splitlines()
    makers = [
        f"{name}:{1 + next(at for at, line in enumerate(lines) if f'fn {name}(' in line)}" for name in ("of", "add")
    ]
    calls = [FEW_CALLS, 100, 1_000, 10_000, 1_000_000]
    return [again(bench, program, runner, count, max(bench.rounds // 3, 3), MAKER, makers) for count in calls]


WATCHED, MAKER = "a watched function that is called {:,} times", "a value that is made by {:,} calls"


def again(bench, program, runner, calls, rounds, what, makers=()):
    bench.forget(bench.programs.folder)
    words = [program, str(calls), str(max(HASHES // calls, 1))]
    # The folder of the programs is the workspace here.
    run(Variant([runner, "first", str(bench.programs.folder), *words], bench.programs.folder), 120)
    variants = {
        "alone": bench.plain(words, 101),
        "relapse": Variant([runner, "again", str(bench.programs.folder), *makers], bench.programs.folder),
    }
    samples = bench.in_turn(variants, rounds, 60)
    bench.forget(bench.programs.folder)
    said = samples["relapse"][-1].output.strip().splitlines()[-1]
    row = slowdown(f"second run, {what.format(calls)}", samples, 1.1, [said])
    row.update(aim="none", reached=None)
    return row


def stopped(bench):
    """How long a snapshot holds its program, by the program's own clock: a caught panic under relapse, less one alone."""
    program = bench.programs.large("large")
    size = f"{debug_info(program) / 2**20:.1f} MiB of debug info"
    rows = []
    for what, count in (("a text of 1 KiB", 1 << 10), ("a text of 1 MiB", 1 << 20)):
        words = [program, "stopped", str(count)]
        samples = bench.in_turn({"alone": bench.plain(words), "relapse": bench.traced(words)}, bench.rounds, 60)
        times = {name: [panics_of(sample) for sample in series] for name, series in samples.items()}
        alone = median([time for panics in times["alone"] for time in panics])
        first = median([panics[0] for panics in times["relapse"]]) - alone
        later = [time for panics in times["relapse"] for time in panics[1:]]
        warm = median(later) - alone
        rows.append({
            "what": f"a program is stopped for a snapshot with {what}, {size}", "aim": "≤ 20 ms",
            "reached": warm <= 0.020, "samples": figures(samples), "stopped": times,
            "instead": f"a caught panic alone: {seconds(alone)}", "relapse": seconds(warm),
            "notes": [
                f"the first one of its process: {seconds(first)}; the longest of the later ones: {seconds(max(later) - alone)}"
            ],
        })
    return rows


def panics_of(sample):
    """The seconds of each panic, as the program has printed them."""
    return [int(line) / 1e9 for line in sample.output.splitlines() if line.isdigit()]


def memory(bench):
    """Peak memory of the tracer, as it is once a panic has been captured."""
    rows = []
    for size, program in (("hello-size", bench.programs.small("panics")), ("largest", bench.programs.large("largest"))):
        text = run(bench.traced([program, "memory"]), 300).output
        field = lambda name: int(re.search(rf"^{name}:\s+(\d+) kB", text, re.MULTILINE)[1]) / 1024
        debugger = run(Variant(
            ["gdb", "-nx", "-batch", "-ex", "break rust_panic", "-ex", "run", "-ex", "bt full", "--args", program, "now"],
            bench.programs.folder), 300)
        rows.append({
            "what": f"memory in a {size} program, {debug_info(program) / 2**20:.1f} MiB of debug info",
            "aim": "none", "reached": None, "samples": {},
            "instead": f"gdb: {debugger.peak_kib / 1024:.0f} MiB", "relapse": f"{field('VmHWM'):.0f} MiB at the peak",
            "notes": [f"{field('RssAnon'):.0f} MiB of it its own, {field('RssFile'):.0f} MiB pages of mapped files"],
        })
    return rows


def generation(bench):
    rows = []
    for name, what, with_dependencies in (
        ("sample", "a package without dependencies", False), ("depending", "a package with 4 dependencies and theirs", True),
    ):
        package = bench.programs.package(name, with_dependencies)
        bench.forget(package.folder)
        run(bench.traced(["cargo", "run", "--offline", "--", "orders.txt"], package.folder, 101), 300)
        rows += [cold(bench, what, package), warm(bench, what, package)]
    return rows


def gen(bench, package, prepare):
    """As people start it, by cargo, which tells the tool what toolchain it is of."""
    path = os.pathsep.join([os.path.dirname(bench.tool), os.environ["PATH"]])
    return Variant(["cargo", "relapse", "gen", "latest"], package.folder, prepare, environment={"PATH": path})


def build(package, target, prepare):
    words = ["cargo", "test", "--no-run", "--offline", "-p", "orders", "--target-dir", target]
    return Variant(words, package.folder, prepare)


def cold(bench, what, package):
    def emptied(*names):
        package.restore()
        package.empty(*names)

    samples = bench.in_turn({
        "alone": build(package, "target/cold", lambda: emptied("target/cold")),
        "relapse": gen(bench, package, lambda: emptied(".relapse/scratch")),
    }, 3, 150)
    return generated(f"`gen`, {what}, empty target folders", samples, 2.0)


def warm(bench, what, package):
    def touched():
        package.restore()
        package.touch()

    samples = bench.in_turn({
        "alone": build(package, "target/warm", touched), "relapse": gen(bench, package, touched),
    }, bench.rounds, 60)
    return generated(f"`gen`, {what}, warm, one file touched", samples, 2.0)


def generated(what, samples, aim):
    row = slowdown(what, samples, aim)
    row["instead"] = row["instead"].replace("alone", "`cargo test --no-run`")
    return row


def seconds(value):
    return f"{value * 1000:.1f} ms" if abs(value) < 0.1 else f"{value:.2f} s"


def ratio(compared):
    return "–" if compared is None else f"{compared['ratio']:.3f} ({compared['low']:.3f} to {compared['high']:.3f})"


# In the order of the table; each with a rough price in seconds, so that the last ones are left out for want of time, not
# broken off.
MEASUREMENTS = {
    "cpu": (cpu, 60), "threads": (threads, 25), "processes": (processes, 45), "panic": (panic, 15),
    "large-panic": (large_panic, 90), "caught": (caught, 15), "second-run": (second_run, 100),
    "second-run-with-makers": (second_run_with_makers, 60), "stopped": (stopped, 60), "memory": (memory, 60), "gen": (generation, 240),
}
