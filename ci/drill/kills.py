"""SIGKILL at a random moment: one round is one verb, one kill, and everything that has to hold afterwards."""

import ctypes
import os
import random
import select
import signal
import struct
import time

import processes

# Verbs of the workspace by the names that people give to the drill.
GROUPS = {"run": ["run", "run-cargo"], "gen": ["gen"], "sync": ["sync"], "review": ["review"],
          "rm": ["rm", "rm-locked", "rm-snapshot"]}
# Who is killed. `cargo`: the cargo that relapse started; `runner`: what cargo started in place of the program.
KINDS = {"run": ["self", "group"], "run-cargo": ["self", "group", "cargo", "runner"], "gen": ["self", "group", "cargo"],
         "review": ["self", "group", "cargo"]}
# What is left of a killed cargo or rustc ends by itself.
LINGER = 30
IN_CREATE, IN_MOVED_TO = 0x100, 0x80
# Of a rustc, a cargo, a linker that was killed, or that crashed on a full disk: theirs, not ours.
FOREIGN = ("rustc", "cargo", "cc", "ld", "rust-lld", "symbols.o", "symbolizer-")


class Watch:
    """Waits for a file to appear in a folder."""

    def __init__(self, folder):
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.descriptor = self.libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        self.libc.inotify_add_watch(self.descriptor, os.fsencode(folder), IN_CREATE | IN_MOVED_TO)

    def wait(self, prefix, process, seconds):
        """Whether it appeared before the process ended or the time was over."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if select.select([self.descriptor], [], [], 0.02)[0]:
                data, at = os.read(self.descriptor, 65536), 0
                while at < len(data):
                    length = struct.unpack_from("iIII", data, at)[3]
                    name = data[at + 16:at + 16 + length].rstrip(b"\0").decode()
                    at += 16 + length
                    if name.startswith(prefix):
                        return True
            elif process.poll() is not None:
                return False
        return False

    def close(self):
        os.close(self.descriptor)


def measure(workspace, names):
    """How long each verb takes, and how long its edit does, undisturbed."""
    usual = {}
    for name in names:
        words, before, after, statuses = workspace.verbs[name]
        workspace.reset(before)
        watch, process = Watch(workspace.folder / ".relapse"), workspace.start(words)
        edits = watch.wait("edit.journal.new", process, 120)
        began = time.monotonic()
        while edits and process.poll() is None and any(
                (workspace.folder / ".relapse" / f"edit.journal{end}").exists() for end in ("", ".new")):
            time.sleep(0.0005)
        edit = time.monotonic() - began
        watch.close()
        ran = workspace.finish(process)
        if ran.status not in statuses or workspace.tree() != after:
            raise SystemExit(f"an undisturbed {name} did something else than the first time: {ran}")
        usual[name] = (ran.seconds, edit if edits else None)
    return usual


def victim(process, kind):
    """Whom to kill, once it is there; `None` where it never was."""
    if kind in ("self", "group"):
        return process.pid
    wanted = (lambda name: name == "cargo") if kind == "cargo" else (lambda name: name.startswith("cargo-relapse"))
    for pid, (name, _) in processes.marked(process.mark).items():
        if pid != process.pid and wanted(name):
            return pid
    return None


def state(workspace, before, after):
    tree = workspace.tree()
    if tree == before:
        return "before"
    return "after" if tree == after else "half"


def differences(workspace, before, after):
    tree = workspace.tree()
    return {path for path in tree.keys() | before.keys() if tree.get(path) != before.get(path)
            and tree.get(path) != after.get(path)} or {
        path for path in tree.keys() | before.keys() if tree.get(path) != before.get(path)}


def scratch_left(workspace):
    """What nobody may leave behind once `clean` has run."""
    found, relapse = [], workspace.folder / ".relapse"
    for place, folders, files in os.walk(relapse):
        inside = os.path.relpath(place, relapse)
        for name in files:
            path = os.path.normpath(os.path.join(inside, name))
            if not (path in (".gitignore", "lock", "edit.lock") or inside == "runs" and not name.startswith(".")
                    or inside == "snapshots" and name.endswith(".json.zst") and not name.startswith(".")):
                found.append(path)
    if (relapse / "scratch").exists():
        found.append("scratch")
    found += [name for name in os.listdir(workspace.temporary) if not name.startswith(FOREIGN)]
    return found


def one(workspace, name, kind, usual, dice):
    """A round. Returns (what was seen, [what is wrong])."""
    words, before, after, statuses = workspace.verbs[name]
    seconds, edit = usual[name]
    workspace.reset(before)
    in_edit = edit is not None and dice.random() < 0.5
    moment = dice.uniform(0, 1.5 * edit) if in_edit else dice.uniform(0, 1.02 * seconds)
    watch = Watch(workspace.folder / ".relapse")
    process = workspace.start(words)
    if in_edit:
        watch.wait("edit.journal.new", process, 120)
        time.sleep(moment)
    else:
        time.sleep(max(0.0, moment - (time.monotonic() - process.began)))
    watch.close()
    target = victim(process, kind)
    ended = process.poll() is not None
    if target is not None and not ended:
        try:
            (os.killpg if kind == "group" else os.kill)(target, signal.SIGKILL)
        except ProcessLookupError:
            pass
    wrong = []
    ran = workspace.finish(process, 120)
    if ran.status == "timeout":
        wrong.append("relapse did not end")
    if kind in ("self", "group") and not ended and ran.status not in (-signal.SIGKILL, *statuses):
        wrong.append(f"it ended with {ran.status} by a SIGKILL")
    linger, left = processes.wait_for_end(process.mark, LINGER)
    if left:
        wrong.append(f"processes are left: {left}")
    if kind in ("self", "group") and name == "run" and linger > 3:
        wrong.append(f"the traced program went on for {linger:.1f} s")
    raw = state(workspace, before, after)
    seen = "ended first" if ended else "no such process" if target is None else raw
    # The store is readable, and this is the next start.
    listed = workspace.run("list", "--json")
    if listed.status != 0:
        wrong.append(f"the store is not readable: {listed}")
    elif name != "rm-snapshot":
        known = {entry["id"] for entry in listed.objects()}
        if not set(workspace.ids) <= known:
            wrong.append(f"a snapshot is lost: {known}")
        fresh = sorted(known - set(workspace.ids))
        for snapshot in dice.sample(fresh, min(2, len(fresh))):
            if workspace.run("show", snapshot, "--json").status != 0:
                wrong.append(f"snapshot {snapshot} cannot be read")
    if "skipped" in listed.err or "damaged" in listed.err:
        wrong.append(f"something in the store is damaged: {listed.err}")
    now = state(workspace, before, after)
    if now == "half":
        wrong.append(f"half edited: {sorted(differences(workspace, before, after))}")
    # Once more, undisturbed: it completes what was cut off, or does it anew.
    if dice.random() < 0.5 or wrong or raw == "half":
        again = workspace.run(*words)
        done = {"gen": [0], "sync": [0], "review": [0]}.get(name, statuses)
        gone = name.startswith("rm") and (now == "after" or name == "rm-snapshot")
        if again.status not in ([*done, 65] if gone else done):
            wrong.append(f"the next {name} failed: {again}")
        elif state(workspace, before, after) != "after" and before != after:
            wrong.append(f"the next {name} did not complete: {sorted(differences(workspace, before, after))}")
    cleaned = workspace.run("clean")
    if cleaned.status != 0:
        wrong.append(f"clean failed: {cleaned}")
    if scratch := scratch_left(workspace):
        wrong.append(f"scratch is left: {scratch}")
    if wrong:
        wrong.append(f"the killed one said: {ran}")
    return seen, linger, wrong


def rounds(workspace, options, report):
    names = [name for group in GROUPS if not options.only or group in options.only
             for name in GROUPS[group] if name in workspace.verbs]
    if not names:
        return
    usual = measure(workspace, names)
    for name, (seconds, edit) in usual.items():
        print(f"{name:12} takes {seconds:5.2f} s" + (f", its edit {1000 * edit:4.0f} ms" if edit is not None else ""), flush=True)
    # A fair share for each kind of each verb; a verb that takes longer is no reason for fewer rounds.
    pairs = [(name, kind) for name in names for kind in KINDS.get(name, ["self", "group"])]
    for number in range(options.first, options.first + options.rounds):
        dice = random.Random(f"{options.seed}:{number}")
        # However slow the machine is: a drill without a round is none.
        if number - options.first >= 6 and report.late(0.45):
            continue
        name, kind = pairs[number % len(pairs)]
        seen, linger, wrong = one(workspace, name, kind, usual, dice)
        report.add(name, kind, seen, linger)
        for text in wrong:
            report.fail(f"round {number} ({name}, {kind}): {text}",
                        f"--seed {options.seed} --first {number} --rounds 1" + "".join(f" --only {o}" for o in options.only or []))
        if (number + 1) % 25 == 0:
            print(f"{number + 1 - options.first} rounds, {len(report.failures)} failures", flush=True)
