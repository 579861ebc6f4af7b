"""Two of us at once on one workspace: both right, or one waits."""

import random
import time

import processes


def together(workspace, tree, commands, dice):
    """Runs commands at once, the second a moment after the first."""
    workspace.reset(tree)
    started = []
    for words in commands:
        started.append(workspace.start(words))
        time.sleep(dice.uniform(0, 0.3))
    ran = [workspace.finish(process) for process in started]
    left = {}
    for process in started:
        left |= processes.wait_for_end(process.mark, 10)[1]
    return ran, left


def in_turn(workspace, tree, commands):
    workspace.reset(tree)
    for words in commands:
        workspace.must([0], *words)
    return workspace.tree()


def rounds(workspace, options, report):
    if options.only and "pairs" not in options.only:
        return
    if options.quick and report.late(0.6):
        return
    first, second = workspace.ids
    buggy, tested = workspace.verbs["gen"][1:3]
    gens = [["gen", first], ["gen", second]]
    both = [in_turn(workspace, buggy, order) for order in (gens, gens[::-1])]
    remove = workspace.verbs["rm"][0]
    busy, busy_cargo = workspace.verbs["run"][0], workspace.verbs["run-cargo"][0]
    # Commands, the tree before, the trees that are right, the statuses that are.
    cases = [
        ("gen + gen", gens, buggy, both, [[0], [0]]),
        ("gen + the same gen", [gens[0], gens[0]], buggy, [tested], [[0], [0]]),
        ("gen + rm", [gens[1], remove], tested, [in_turn(workspace, buggy, [gens[1]])], [[0], [0]]),
        ("gen + sync", [gens[1], ["sync"]], tested, both, [[0], [0]]),
        ("run + run", [busy, busy_cargo], buggy, [buggy], [[101], [101]]),
        ("run + gen", [busy, gens[0]], buggy, [tested], [[101], [0]]),
        ("run + clean", [busy_cargo, ["clean"]], buggy, [buggy], [[101], [0]]),
        ("gen + clean", [gens[0], ["clean"]], buggy, [tested], [[0], [0]]),
    ]
    for number, (name, commands, before, right, statuses) in enumerate(cases * options.pairs):
        if report.late(0.65):
            continue
        dice = random.Random(f"{options.seed}:pairs:{number}")
        ran, left = together(workspace, before, commands, dice)
        wrong = [f"{' '.join(words[:2])}: {one}" for words, one, good in zip(commands, ran, statuses) if one.status not in good]
        if left:
            wrong.append(f"processes are left: {left}")
        tree = workspace.tree()
        if tree not in right:
            wrong.append(f"neither one's tree: {sorted(path for path in tree.keys() | right[0].keys() if tree.get(path) != right[0].get(path))}")
        listed = workspace.run("list", "--json")
        if listed.status != 0 or "warning" in listed.err:
            wrong.append(f"the store: {listed}")
        elif name == "run + run":
            # Each of both runs keeps its own: 64 panics that are caught, in two processes, and two that are not.
            counts = [entry["count"] for entry in listed.objects() if entry["id"] not in workspace.ids]
            if not counts or max(counts) > 64:
                wrong.append(f"counts are mixed: {counts}")
        report.add(name, "at once", "both right" if not wrong else "wrong", 0)
        for text in wrong:
            report.fail(f"{name}: {text}", f"--seed {options.seed} --only pairs")
