"""Chapter 14: what a trunk's volume and its variety bring to a new writing system (behind the BSC lecture's list).

Trunks as in `shared_trunk`, of few systems or many, few letters of each or many, few drawings of a letter or many.
Three of them have the same volume, spent otherwise. All answer among all their letters, take as many steps and are
tried three times on the way, since few drawings are learnt by heart soonest; how many steps each gets in a claim is
what did best in `trunk_settings`. The systems of a small trunk are drawn anew for each fold and draw.
"""

import numpy as np

from tlcourse.experiments import shared_trunk

SYSTEMS, LETTERS, DRAWINGS = (8, 40), (4, 20), (2, 10)
CONFIGS = [{"fold": fold} for fold in range(shared_trunk.FOLDS)]
AT, SHOTS = (300, 1000, 3000), 3
FIRST = 200
BEST = {  # steps, by systems, letters and drawings
    (8, 4, 2): 300,
    (8, 4, 10): 1000,
    (8, 20, 2): 300,
    (8, 20, 10): 1000,
    (40, 4, 2): 300,
    (40, 4, 10): 300,
    (40, 20, 2): 3000,
    (40, 20, 10): 3000,
}
MINIATURE = {
    "config": {"fold": 0},
    "SYSTEMS": (2, 4),
    "LETTERS": (2, 3),
    "DRAWINGS": (1, 2),
    "AT": (1, 2),
    "SHOTS": 1,
    "shared_trunk.HIDDEN": 6,
    "shared_trunk.BATCH": 8,
    "shared_trunk.GIVEN": 2,
}


def trial(config):
    """Percent named right of each new system, by the trunk's systems, letters, drawings and steps."""
    return trials(FIRST + config["seed"], config["fold"], shared_trunk.C["one"])


def trials(seed, fold, c):
    """The rows of one fold, where `c` is the head's."""
    old, new = shared_trunk.fold_of(shared_trunk.world(seed), fold)
    old = [old[i] for i in np.random.default_rng([seed, fold]).permutation(len(old))]
    rows = []
    for systems in SYSTEMS:
        for letters in LETTERS:
            for drawings in DRAWINGS:
                what = {"systems": systems, "letters": letters, "drawings": drawings}
                x, y, _ = shared_trunk.stacked(old[:systems], drawings, letters)
                for steps, net in shared_trunk.grown(x, y, None, AT, seed):
                    rows += [{**what, "steps": steps, **row} for row in on_new(net, new, c)]
    return rows


def on_new(net, new, c):
    """A row for each new system, with a new head on a frozen trunk."""
    for system in new:
        weights, bias = shared_trunk.head(net.features, *system.first(SHOTS), c)
        logits = net.features(system.x_test) @ weights + bias
        accuracy = shared_trunk.right(logits, system.y_test)
        yield {"system": system.name, "faces": system.faces, "accuracy": accuracy}
