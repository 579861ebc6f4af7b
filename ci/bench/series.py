"""Runs commands and measures them: wall time, processor time of everything that they started, peak memory. Variants of one
measurement are run in turn (A, B, A, B, …), so that what else the machine does meets all of them alike."""

import os
import signal
import statistics
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass, field

# Variables that would give other figures than a plain shell's.
UNWANTED = ("CARGO_TARGET_DIR", "CARGO_BUILD_TARGET", "CARGO_ENCODED_RUSTFLAGS", "RUSTFLAGS", "RUST_LOG", "RUSTC_WRAPPER")


class Failed(Exception):
    """A measured command did not do what it should: its figure would say nothing."""


@dataclass
class Sample:
    """One run of a command, with all processes that it waited for."""

    wall: float
    cpu: float
    peak_kib: int
    output: str


@dataclass
class Variant:
    """One way to do the same thing. `prepare` runs before each sample, unmeasured."""

    command: list
    folder: str = "."
    prepare: object = None
    status: int = 0
    environment: dict = field(default_factory=dict)


def environment(more=()):
    own = {name: value for name, value in os.environ.items() if name not in UNWANTED}
    own.update({"RUST_BACKTRACE": "0", "NO_COLOR": "1", "CARGO_TERM_COLOR": "never"})
    own.update(dict(more))
    return own


def run(variant, timeout):
    """Runs a command once, in a session of its own; nothing of that is left when this returns."""
    with tempfile.TemporaryFile() as output:
        start = time.perf_counter()
        child = subprocess.Popen(
            variant.command, cwd=variant.folder, env=environment(variant.environment),
            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
        )
        late = threading.Timer(timeout, end_session, [child.pid])
        late.start()
        try:
            _, status, usage = os.wait4(child.pid, 0)
        finally:
            late.cancel()
            end_session(child.pid)
        wall = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read(1 << 20).decode(errors="replace")
    if child.returncode != variant.status:
        words = " ".join(map(str, variant.command))
        raise Failed(f"`{words}` ended with {child.returncode}, not {variant.status}:\n{text[-2000:]}")
    return Sample(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss, text)


def end_session(leader):
    try:
        os.killpg(leader, signal.SIGKILL)
    except ProcessLookupError:
        pass


def interleaved(variants, rounds, seconds, last):
    """Runs the variants in turn: `rounds` times each, fewer where `seconds` are over, three times at least, unless `last`,
    the end of the whole run, has come. The first round warms the caches and does not count."""
    samples = {name: [] for name in variants}
    end = time.monotonic() + seconds
    for number in range(rounds + 1):
        now = time.monotonic()
        if number > 3 and now > end or number > 1 and now > last:
            break
        timeout = max(60, min(300, last - now))
        # Who comes first changes, so that nobody always runs in another one's wake.
        order = list(variants) if number % 2 else list(variants)[::-1]
        for name in order:
            if variants[name].prepare:
                variants[name].prepare()
            sample = run(variants[name], timeout)
            if number:
                samples[name].append(sample)
    return samples


def median(values):
    return statistics.median(values)


def spread(values):
    """The quartiles of the values."""
    if len(values) < 2:
        return values[0], values[0]
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, high


def compare(numerators, denominators):
    """The median and the quartiles of the ratios of the single rounds: what was run side by side is compared."""
    ratios = [above / below for above, below in zip(numerators, denominators) if below > 0]
    if not ratios:
        return None
    low, high = spread(ratios)
    return {"ratio": median(ratios), "low": low, "high": high}
