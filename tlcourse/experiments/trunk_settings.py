"""Chapter 14: steps, rates and penalties for `shared_trunk` and `trunk_variety`, on draws of their own.

The net of the new system alone gets as many settings to choose from as the one that starts from a trunk.
"""

import numpy as np

from tlcourse.experiments import shared_trunk, trunk_variety
from tlcourse.methods import multitask

CONFIGS = [{"question": "new"}, {"question": "variety"}]
STEPS, RATES, PENALTIES = (100, 300, 1000), (2e-3, 5e-4), (0.1, 1.0, 10.0)
FIRST, FOLD = 900, 0
MINIATURE = {
    "config": {"question": "new"},
    "STEPS": (1, 2),
    "RATES": (1e-3,),
    "PENALTIES": (1.0,),
    "shared_trunk.HIDDEN": 6,
    "shared_trunk.STEPS": 2,
    "shared_trunk.BATCH": 8,
    "shared_trunk.GIVEN": 2,
    "shared_trunk.SHOTS": (1,),
}


def trial(config):
    """Mean percent named right over the new systems of one fold, by arm, labelled drawings a letter, and setting."""
    import pandas as pd

    seed = FIRST + config["seed"]
    if config["question"] == "variety":
        rows = trunk_variety.trials(seed, FOLD, 1.0)
        by = ["systems", "letters", "drawings", "steps"]
        means = pd.DataFrame(rows).groupby(by).accuracy.mean()
        return [
            {"arm": "{}x{}x{}".format(*key), "k": trunk_variety.SHOTS, "steps": steps, "value": 0.0, "accuracy": mean}
            for (*key, steps), mean in means.items()
        ]
    found = pd.DataFrame(new_systems(seed))
    return found.groupby(["arm", "k", "steps", "value"], sort=False).accuracy.mean().reset_index().to_dict("records")


def new_systems(seed):
    """A row for each new system and setting; `value` is a rate or, of a logistic regression, its C."""
    here = shared_trunk
    old, new = here.fold_of(here.world(seed), FOLD)
    x, y, groups = here.stacked(old, here.GIVEN)
    nets = {name: here.trunk(x, y, groups, own=name == "own", seed=seed) for name in ("own", "one")}
    nets["random"] = here.network(len(new[0].x), 1e-3, seed)
    learners = {(arm, rate): here.network(len(new[0].x), rate, seed) for arm in ("alone", "tuned") for rate in RATES}
    for system in new:
        read = {name: nets[name].features(system.x_test) for name in nets}
        for k in here.SHOTS:
            given = system.first(k)

            def said(arm, steps, value, logits, system=system, k=k):
                right = here.right(logits, system.y_test)
                return {"arm": arm, "k": k, "steps": steps, "value": value, "accuracy": right}

            for c in PENALTIES:
                for name in nets:
                    yield said(name, 0, c, here.head(nets[name].features, read[name], *given, c))
                yield said("pixels", 0, c, here.head(here.flat, here.flat(system.x_test), *given, c))
            order = multitask.batches([np.arange(len(given[0]))], STEPS[-1], batch=here.BATCH, seed=seed)
            for (arm, rate), net in learners.items():
                if arm == "tuned":
                    net.start_from([w.numpy() for w in nets["own"].trunk.trainable_weights])
                for start, end in zip([0, *STEPS], STEPS, strict=False):
                    net.fit(given[0], {"letter": given[1]}, order[start:end], go_on=start > 0)
                    yield said(arm, end, rate, net.logits("letter", system.x_test))
