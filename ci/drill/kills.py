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
# Who is killed where it is relapse that we started.
OURSELVES = ("self", "group")
# So often a moment is drawn until somebody is there to be killed.
DRAWS = 12
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
    """How long each verb takes, how long its edit does, and when whoever else is to be killed lives: undisturbed."""
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
        usual[name] = (ran.seconds, edit if edits else None, lives(workspace, name))
    return usual


def lives(workspace, name):
    """For each kind that is not relapse itself: from when to when one of it lives in an undisturbed run."""
    kinds = [kind for kind in KINDS.get(name, []) if kind not in OURSELVES]
    if not kinds:
        return {}
    spans = {}
    workspace.reset(workspace.verbs[name][1])
    process = workspace.start(workspace.verbs[name][0])
    while process.poll() is None:
        for kind in kinds:
            if victim(process, kind) is not None:
                now = time.monotonic() - process.began
                spans[kind] = (spans.get(kind, (now,))[0], now)
        time.sleep(0.002)
    ran = workspace.finish(process)
    if missing := [kind for kind in kinds if kind not in spans]:
        raise SystemExit(f"an undisturbed {name} has no {' and no '.join(missing)}: {ran}")
    return spans


def victim(process, kind):
    """Whom to kill; `None` where it does not live. A runner is the cargo that started it: by an exec."""
    if kind in OURSELVES:
        return process.pid if process.poll() is None else None
    for pid, (name, state) in processes.marked(process.mark).items():
        if pid == process.pid or state in "ZX":
            continue
        if name == "cargo" if kind == "cargo" else b"__runner" in processes.words(pid):
            return pid
    return None


def strike(workspace, process, kind, usual, dice):
    """Kills somebody at a random moment; whether there was one to be killed."""
    seconds, edit, spans = usual
    if kind in OURSELVES and edit is not None and dice.random() < 0.5:
        moment, watch = dice.uniform(0, 1.5 * edit), Watch(workspace.folder / ".relapse")
        watch.wait("edit.journal.new", process, 120)
        watch.close()
        time.sleep(moment)
    else:
        first, last = spans.get(kind, (0, 1.02 * seconds))
        moment = dice.uniform(first, last)
        time.sleep(max(0.0, moment - (time.monotonic() - process.began)))
    target = victim(process, kind)
    while target is None and process.poll() is None:
        time.sleep(0.001)
        target = victim(process, kind)
    if target is None:
        return False
    try:
        (os.killpg if kind == "group" else os.kill)(target, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


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
    """A round. Returns (whether somebody was killed, what was seen, how long something lived on, [what is wrong])."""
    words, before, after, statuses = workspace.verbs[name]
    workspace.reset(before)
    process = workspace.start(words)
    killed = strike(workspace, process, kind, usual[name], dice)
    wrong = []
    ran = workspace.finish(process, 120)
    if ran.status == "timeout":
        wrong.append("relapse did not end")
    if kind in OURSELVES and killed and ran.status != -signal.SIGKILL:
        killed = False
        if ran.status not in statuses:
            wrong.append(f"it ended with {ran.status} by a SIGKILL")
    linger, left = processes.wait_for_end(process.mark, LINGER)
    if left:
        wrong.append(f"processes are left: {left}")
    if kind in OURSELVES and name == "run" and linger > 3:
        wrong.append(f"the traced program went on for {linger:.1f} s")
    raw = state(workspace, before, after)
    # The next start, whichever it is, takes back what was cut off.
    done = {"gen": [0], "sync": [0], "review": [0]}.get(name, statuses)
    gone = name.startswith("rm") and (raw == "after" or name == "rm-snapshot")
    following, expected = dice.choice([(["list"], [0]), (["sync"], [0]), (words, [*done, 65] if gone else done)])
    if following != ["list"]:
        ran_next = workspace.run(*following)
        if ran_next.status not in expected:
            wrong.append(f"the next start, {' '.join(following)}, failed: {ran_next}")
    if following == words and state(workspace, before, after) != "after" and before != after:
        wrong.append(f"the next {name} did not complete: {sorted(differences(workspace, before, after))}")
    # The store is readable.
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
    if following != words and (dice.random() < 0.5 or wrong or raw == "half"):
        again = workspace.run(*words)
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
    return killed, raw, linger, wrong


def rounds(workspace, options, report):
    names = [name for group in GROUPS if not options.only or group in options.only
             for name in GROUPS[group] if name in workspace.verbs]
    if not names:
        return
    usual = measure(workspace, names)
    for name, (seconds, edit, _) in usual.items():
        print(f"{name:12} takes {seconds:5.2f} s" + (f", its edit {1000 * edit:4.0f} ms" if edit is not None else ""), flush=True)
    # A fair share for each kind of each verb; a verb that takes longer is no reason for fewer rounds.
    pairs = [(name, kind) for name in names for kind in KINDS.get(name, ["self", "group"])]
    tried, hit = set(), set()
    for number in range(options.first, options.first + options.rounds):
        # However slow the machine is: a drill without a round is none.
        if number - options.first >= 6 and report.late(0.45):
            continue
        name, kind = pairs[number % len(pairs)]
        tried.add((name, kind))
        # Where the command was done before, or whom the kill was for, it is drawn again.
        for attempt in range(DRAWS):
            dice = random.Random(f"{options.seed}:{number}:{attempt}")
            killed, seen, linger, wrong = one(workspace, name, kind, usual, dice)
            report.add(name, kind, seen if killed else "drawn again", linger)
            report.kills += killed
            for text in wrong:
                report.fail(f"round {number} ({name}, {kind}): {text}", again(options, f"--first {number} --rounds 1"))
            if killed:
                hit.add((name, kind))
            if killed or report.is_late(0.45):
                break
        if (number + 1) % 25 == 0:
            print(f"{number + 1 - options.first} rounds, {len(report.failures)} failures", flush=True)
    for name, kind in sorted(tried - hit):
        if not report.is_late(0.45):
            report.fail(f"nobody was ever killed in {name}, {kind}", again(options, f"--rounds {options.rounds}"))


def again(options, rounds):
    return f"--seed {options.seed} {rounds}" + "".join(f" --only {only}" for only in options.only or [])
