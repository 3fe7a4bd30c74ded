"""Chapter 14: steps, rates and penalties for `shared_trunk` and `trunk_variety`, on other draws of the same systems.

The net of the new system alone gets as many settings to choose from as the one that starts from a trunk. Systems that
helped to train the trunk are named after each of its steps, too: they may want other steps than new ones.
"""

import numpy as np

from tlcourse.experiments import shared_trunk, trunk_variety
from tlcourse.methods import multitask

CONFIGS = [{"question": "new"}, {"question": "variety"}]
TRUNKS, STEPS, PENALTIES = (1000, 3000, 6000), (100, 300, 1000), (0.01, 0.1, 1.0, 10.0, 100.0)
AT = (300, 1000, 3000)  # of the trunks in `trunk_variety`
TUNED = {"steps": 1000, "c": 0.1}  # of the trunk that is trained on, and of the head it starts with, from a pilot
RATES = {"alone": (2e-3, 5e-4), "tuned": (5e-4, 1e-4)}
FIRST, FOLD = 900, 0
MEMBERS = 10  # how many of the systems that train are named
MINIATURE = {
    "config": {"question": "new"},
    "STEPS": (1, 2),
    "RATES": {"alone": (1e-3,), "tuned": (1e-3,)},
    "TRUNKS": (1, 2),
    "TUNED": {"steps": 2, "c": 1.0},
    "PENALTIES": (1.0,),
    "shared_trunk.HIDDEN": 6,
    "shared_trunk.BATCH": 8,
    "shared_trunk.GIVEN": 2,
    "shared_trunk.SHOTS": (1,),
}


def trial(config):
    """Mean percent named right over the new systems of one fold, by arm, labelled drawings a letter, and setting."""
    import pandas as pd

    seed = FIRST + config["seed"]
    if config["question"] == "variety":
        found = pd.DataFrame(spent(seed))
    else:
        found = pd.DataFrame(new_systems(seed))
    return found.groupby(["arm", "k", "steps", "value"], sort=False).accuracy.mean().reset_index().to_dict("records")


def spent(seed):
    """A row for each new system, way to spend a trunk's drawings, steps, and penalty."""
    for trunk, steps, net, new in trunk_variety.trunks(seed, FOLD, dict.fromkeys(trunk_variety.WAYS, AT)):
        yield from with_heads(trunk, steps, net.features, new, (trunk_variety.SHOTS,))


def new_systems(seed):
    """A row for each new system and setting; `value` is a rate or, of a logistic regression, its C."""
    old, new = shared_trunk.fold_of(shared_trunk.world(seed), FOLD)
    x, y, groups = shared_trunk.stacked(old, shared_trunk.GIVEN)
    for name, among in {"own": groups, "one": None}.items():
        for steps, net in shared_trunk.grown(x, y, among, TRUNKS, seed):
            yield from with_heads(name, steps, net.features, new)
            if name == "own":
                found = shared_trunk.members(net, "member", old[:MEMBERS], among)
                yield from (
                    {**setting("member", shared_trunk.GIVEN, steps, 0.0), "accuracy": row["accuracy"]} for row in found
                )
            if name == "own" and steps == TUNED["steps"]:
                yield from trained_on("tuned", net, new, seed, shared_trunk.SHOTS[-1:])
    yield from with_heads("random", 0, shared_trunk.network(len(new[0].x), 1e-3, seed).features, new)
    yield from with_heads("pixels", 0, shared_trunk.flat, new)
    yield from trained_on("alone", None, new, seed, shared_trunk.SHOTS)


def with_heads(arm, steps, features, new, shots=None):
    """A row for each new system, number of drawings, and penalty."""
    for system in new:
        read = features(system.x_test)
        for k in shots or shared_trunk.SHOTS:
            for c in PENALTIES:
                weights, bias = shared_trunk.head(features, *system.first(k), c)
                yield said(arm, k, steps, c, read @ weights + bias, system)


def trained_on(arm, trunk, new, seed, shots):
    """A row for each new system, number of drawings, rate and steps: from the start, or from a trunk and its head."""
    learners = {rate: shared_trunk.network(len(new[0].x), rate, seed) for rate in RATES[arm]}
    for system in new:
        for k in shots:
            x, y = system.first(k)
            order = multitask.batches([np.arange(len(x))], STEPS[-1], batch=shared_trunk.BATCH, seed=seed)
            for rate, net in learners.items():
                if trunk is not None:
                    shared_trunk.started(net, trunk, shared_trunk.head(trunk.features, x, y, TUNED["c"]))
                for start, end in zip([0, *STEPS], STEPS, strict=False):
                    net.fit(x, {"letter": y}, order[start:end], go_on=start > 0)
                    yield said(arm, k, end, rate, net.logits("letter", system.x_test), system)


def said(arm, k, steps, value, logits, system):
    """One row."""
    return {**setting(arm, k, steps, value), "accuracy": shared_trunk.right(logits, system.y_test)}


def setting(arm, k, steps, value):
    """What is tried."""
    return {"arm": arm, "k": k, "steps": steps, "value": value}
