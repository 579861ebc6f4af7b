"""A full disk and read-only folders under each verb: said, with the right status, and nothing lost or half-written.

Mounts a small tmpfs in a mount namespace of its own (as root, or where users may have namespaces): nothing is mounted
for anybody else, and nothing stays. In: a prepared workspace. The same drill runs inside, see `__main__`.
"""

import os
import pathlib
import random
import shutil
import subprocess

from kills import GROUPS, differences, scratch_left, state

CANNOT_WRITE = 73


def namespace():
    """The words that start a program in a mount namespace of its own; `None` where that is not permitted."""
    for words in (["unshare", "--mount"], ["unshare", "--mount", "--map-root-user"]):
        try:
            probe = subprocess.run([*words, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True)
        except FileNotFoundError:
            return None
        if probe.returncode == 0:
            return words
    return None


def mount(*words):
    subprocess.run(["mount", *words], check=True)


def tmpfs(folder, megabytes):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    mount("-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "none", str(folder))


def free(folder):
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize


def fill(folder, left):
    """Fills the disk of a folder up to `left` bytes."""
    with open(pathlib.Path(folder) / "filler", "wb", buffering=0) as file:
        try:
            while free(folder) > left:
                file.write(b"x" * max(1, min(1 << 20, free(folder) - left)))
        except OSError:
            pass


def says_why(workspace, ran):
    """Whether people are told which file could not be written, and why."""
    files = (".relapse", "regressions", "src", "Cargo", str(workspace.temporary))
    reasons = ("No space left", "Read-only", "read-only", "are free on its disk")
    return any(file in ran.err for file in files) and any(reason in ran.err for reason in reasons)


def judge(workspace, name, ran, before, after, statuses, what):
    wrong = []
    now = state(workspace, before, after)
    if now == "half":
        wrong.append(f"half edited: {sorted(differences(workspace, before, after))}")
    allowed = statuses if name.startswith("run") else [*statuses, CANNOT_WRITE]
    if ran.status not in allowed:
        wrong.append(f"status {ran.status}: {ran}")
    if ran.status == CANNOT_WRITE and not says_why(workspace, ran):
        wrong.append(f"it does not say why: {ran}")
    if ran.status == 0 and now != "after" and before != after:
        wrong.append(f"status 0, but nothing was done: {ran}")
    if name.startswith("run"):
        listed = workspace.run("list", "--json")
        fresh = len(listed.objects()) - len(workspace.ids) if listed.status == 0 else -1
        if listed.status != 0 or "warning" in listed.err:
            wrong.append(f"the store: {listed}")
        elif fresh <= 0 and "could not be kept" not in ran.err:
            wrong.append(f"nothing was kept, and it does not say so: {ran}")
    return now, wrong


def verbs(workspace, options):
    return [name for group in ("run", "gen", "sync", "review", "rm") for name in GROUPS[group] if name in workspace.verbs]


def full(workspace, options, report):
    """The workspace's disk has a random rest of room left, from nothing to more than is needed."""
    for number in range(options.disks):
        for name in verbs(workspace, options):
            if name != "sync" and report.late(0.6):
                continue
            words, before, after, statuses = workspace.verbs[name]
            dice = random.Random(f"{options.seed}:full:{name}:{number}")
            workspace.reset(before)
            left = dice.choice([0, dice.randrange(16 << 10), dice.randrange(128 << 10), dice.randrange(8 << 20)])
            fill(workspace.folder / ".relapse", left)
            ran = workspace.run(*words)
            (workspace.folder / ".relapse/filler").unlink()
            now, wrong = judge(workspace, name, ran, before, after, statuses, "full")
            again = workspace.run(*words)
            gone = name.startswith("rm") and (now == "after" or name == "rm-snapshot")
            if again.status not in ([*statuses, 65] if gone else statuses):
                wrong.append(f"with room again it fails: {again}")
            elif before != after and state(workspace, before, after) != "after":
                wrong.append("with room again it does not complete")
            workspace.run("clean")
            if scratch := scratch_left(workspace):
                wrong.append(f"scratch is left: {scratch}")
            report.add(name, "disk full", f"status {ran.status}, {now}", 0)
            for text in wrong:
                report.fail(f"{name}, {left} bytes left: {text}", f"--seed {options.seed} --only disks")


def temporary_full(workspace, options, report):
    """Only the disk of TMPDIR is full."""
    tmpfs(workspace.temporary, 1)
    for name in verbs(workspace, options):
        if name != "sync" and report.late(0.75):
            continue
        words, before, after, statuses = workspace.verbs[name]
        shutil.rmtree(workspace.folder / ".relapse", ignore_errors=True)
        subprocess.run(["cp", "-a", str(workspace.base / "store"), str(workspace.folder / ".relapse")], check=True)
        workspace.set_tree(before)
        fill(workspace.temporary, 0)
        ran = workspace.run(*words)
        (workspace.temporary / "filler").unlink()
        now, wrong = judge(workspace, name, ran, before, after, statuses, "TMPDIR full")
        report.add(name, "TMPDIR full", f"status {ran.status}, {now}", 0)
        for text in wrong:
            report.fail(f"{name}: {text}", f"--seed {options.seed} --only disks")
    subprocess.run(["umount", str(workspace.temporary)], check=True)


def read_only(workspace, options, report):
    """The whole workspace is read-only, then all of it but `.relapse`."""
    for what in ("read-only", "sources read-only"):
        for name in verbs(workspace, options):
            if name != "sync" and report.late():
                continue
            words, before, after, statuses = workspace.verbs[name]
            workspace.reset(before)
            folder, relapse = str(workspace.folder), str(workspace.folder / ".relapse")
            mount("--bind", folder, folder)
            if what != "read-only":
                mount("--bind", relapse, relapse)
            mount("-o", "remount,bind,ro", folder)
            try:
                # The folder that we stand in is the one below the mount: a path goes through it.
                ran = workspace.run(*words)
                now, wrong = judge(workspace, name, ran, before, after, statuses, what)
            finally:
                for _ in range(1 if what == "read-only" else 2):
                    subprocess.run(["umount", relapse if _ == 0 and what != "read-only" else folder], check=True)
            if before != after and (ran.status != CANNOT_WRITE or now != "before"):
                wrong.append(f"status {ran.status}, {now}: {ran}")
            report.add(name, what, f"status {ran.status}, {now}", 0)
            for text in wrong:
                report.fail(f"{name}, {what}: {text}", f"--seed {options.seed} --only disks")


def rounds(workspace, options, report):
    full(workspace, options, report)
    temporary_full(workspace, options, report)
    read_only(workspace, options, report)
