"""Processes of a command: found by a mark in their environment and by their parent, ended, reaped.

In: a mark. Out: who lives, in which state. Only processes that carry the mark, or whose parent we are, are touched.
"""

import ctypes
import os
import pathlib
import signal
import time

MARK = "RELAPSE_DRILL"
PR_SET_CHILD_SUBREAPER = 36


def become_subreaper():
    """What a command leaves behind becomes our child: it cannot hide."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def stat(pid):
    """Name, state and parent of a process; `None` where it is gone."""
    try:
        text = pathlib.Path("/proc", str(pid), "stat").read_text()
    except OSError:
        return None
    name, rest = text[text.index("(") + 1:].rsplit(")", 1)
    fields = rest.split()
    return name, fields[0], int(fields[1])


def every_id():
    return [int(entry) for entry in os.listdir("/proc") if entry.isdigit()]


def children(parent=None):
    """`{id: (name, state)}` of the processes whose parent this is."""
    parent, found = parent or os.getpid(), {}
    for pid in every_id():
        if (seen := stat(pid)) and seen[2] == parent:
            found[pid] = seen[:2]
    return found


def words(pid):
    """The words that a process was started with; none where it is gone."""
    try:
        return pathlib.Path("/proc", str(pid), "cmdline").read_bytes().split(b"\0")
    except OSError:
        return []


def marked(mark):
    """`{id: (name, state)}` of the living processes that have the mark in their environment."""
    needle, found = f"{MARK}={mark}".encode(), {}
    for pid in every_id():
        try:
            if needle in pathlib.Path("/proc", str(pid), "environ").read_bytes().split(b"\0"):
                if seen := stat(pid):
                    found[pid] = seen[:2]
        except OSError:
            continue
    return found


def reap():
    """Takes the status of every child that has ended."""
    while True:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                return
        except ChildProcessError:
            return


def wait_for_end(mark, seconds):
    """Waits until nothing of a command is left: how long that took, and `{id: (name, state)}` of what stayed, which is
    ended then."""
    start = time.monotonic()
    while True:
        reap()
        left = marked(mark) | children()
        took = time.monotonic() - start
        if not left:
            return took, {}
        if took > seconds:
            break
        time.sleep(0.01)
    for pid in left:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    for _ in range(200):
        reap()
        if not (marked(mark) | children()):
            break
        time.sleep(0.01)
    return took, left


def end_all():
    """Ends whatever this program has started and is still there, directly or not."""
    for _ in range(50):
        reap()
        left = children()
        if not left:
            return
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.02)
