"""Chapter 14: what a trunk's volume and its variety bring to a new writing system (behind the BSC lecture's list).

Trunks as in `shared_trunk`, of few systems or many, few letters of each or many, few drawings of a letter or many.
Three ways to spend have the same volume. Two drawings of a letter are of two faces where a system has them; in a fourth
way they are of one. All answer among all their letters, and have as many step counts and penalties to choose from: what
each takes did best in `trunk_settings`. Few systems and few letters are drawn anew for each draw.
"""

from typing import NamedTuple

import numpy as np

from tlcourse.experiments import shared_trunk


class Way(NamedTuple):
    """What a trunk is trained on."""

    systems: int
    letters: int
    drawings: int
    alike: bool = False  # drawings of one face


WAYS = {
    "8x20x10": Way(8, 20, 10),
    "40x4x10": Way(40, 4, 10),
    "40x20x2": Way(40, 20, 2),
    "40x20x2, one face": Way(40, 20, 2, alike=True),
    "40x20x10": Way(40, 20, 10),
}
# A trunk's steps, and C of the new head.
BEST = {
    "8x20x10": (1000, 0.1),
    "40x4x10": (3000, 100.0),
    "40x20x2": (3000, 0.1),
    "40x20x2, one face": (300, 0.1),
    "40x20x10": (1000, 0.1),
}
CONFIGS = [{"fold": fold} for fold in range(shared_trunk.FOLDS)]
SHOTS = 3
FIRST = 200
MINIATURE = {
    "config": {"fold": 0},
    "WAYS": {"2x3x2": Way(2, 3, 2), "4x3x1": Way(4, 3, 1), "4x2x2": Way(4, 2, 2, alike=True)},
    "BEST": {"2x3x2": (2, 1.0), "4x3x1": (1, 1.0), "4x2x2": (2, 1.0)},
    "SHOTS": 1,
    "shared_trunk.HIDDEN": 6,
    "shared_trunk.BATCH": 8,
    "shared_trunk.GIVEN": 2,
}


def trial(config):
    """Percent named right of each new system, with a new head on each frozen trunk."""
    seed, rows = FIRST + config["seed"], []
    for trunk, steps, net, new in trunks(seed, config["fold"], {name: BEST[name][:1] for name in WAYS}):
        for system in new:
            weights, bias = shared_trunk.head(net.features, *system.first(SHOTS), BEST[trunk][1])
            score = shared_trunk.right(net.features(system.x_test) @ weights + bias, system.y_test)
            rows.append({"trunk": trunk, "steps": steps, **shared_trunk.row(system, "one", SHOTS, score)})
    return rows


def trunks(seed, fold, at):
    """Yields way, steps, trunk, and the new systems of the fold, as often as `at` says for each way."""
    old, new = shared_trunk.fold_of(shared_trunk.world(seed), fold)
    old = [old[i] for i in np.random.default_rng([seed, fold]).permutation(len(old))]
    for name, way in WAYS.items():
        x, y, _ = shared_trunk.stacked(old[: way.systems], way.drawings, way.letters, alike=way.alike)
        for steps, net in shared_trunk.grown(x, y, None, at[name], seed):
            yield name, steps, net, new
