"""Chapter 14: hidden layers that many writing systems share, carried to a new one, after Huang et al. (2013).

A fifth of the fifty systems is new in turn; the others train the trunk, each with ten drawings a letter. Of a new
system one, three or ten drawings a letter have a label, and the others are named: drawings of other faces, where a
system has several. Ten systems have a single face, and what is named there differs from what was learnt by distortion
alone: the column `faces` keeps them apart.

Each arm's settings are what did best on draws of `trunk_settings`, for it and for the control alike.
"""

from typing import NamedTuple

import numpy as np

from tlcourse.methods import multitask

FOLDS = 5
CONFIGS = [{"fold": fold} for fold in range(FOLDS)]
GIVEN, SHOTS = 10, (1, 3, 10)  # drawings a letter that may be learnt from; of a new system
HIDDEN, STEPS, BATCH = 128, 3000, 64
FIRST = 100
ALONE = {1: (300, 2e-3), 3: (300, 2e-3), 10: (300, 2e-3)}  # steps and rate, by drawings a letter
TUNED = {1: (100, 5e-4), 3: (100, 5e-4), 10: (100, 5e-4)}
C = {"own": 1.0, "one": 1.0, "random": 1.0, "pixels": 1.0}  # of the head, a logistic regression
MINIATURE = {
    "config": {"fold": 0},
    "HIDDEN": 6,
    "STEPS": 2,
    "BATCH": 8,
    "GIVEN": 2,
    "SHOTS": (1,),
    "ALONE": {1: (2, 1e-3)},
    "TUNED": {1: (2, 1e-3)},
}


class System(NamedTuple):
    """One writing system: what may be learnt from, drawings of a letter after each other, and what is to be named."""

    name: str
    faces: int
    x: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray

    def first(self, k, letters=None):
        """`(x, y)` of the first k drawings of each letter, or of the first few letters."""
        letters = letters or len(self.x)
        return self.x[:letters, :k].reshape(-1, *self.x.shape[2:]), np.repeat(np.arange(letters), k)


def world(seed):
    """All systems, in random order; which drawings may be learnt from depends on the seed and the system alone."""
    from tlcourse.material import data

    scripts = data.scripts()
    names, faces, found = list(dict.fromkeys(scripts.systems)), scripts.faces, []
    images = scripts.images.reshape(len(names), -1, *scripts.images.shape[1:], 1)
    for number, (name, letters) in enumerate(zip(names, images, strict=True)):
        of = faces[number * images.shape[1]]
        learnt, named = divided(of, np.random.default_rng([seed, number]))
        y_test = np.repeat(np.arange(len(letters)), len(named))
        x_test = letters[:, named].reshape(-1, *letters.shape[2:])
        found.append(System(name, int(of.max()) + 1, letters[:, learnt], x_test, y_test))
    return [found[i] for i in np.random.default_rng(seed).permutation(len(found))]


def divided(faces, rng):
    """Drawings to learn from, `GIVEN` of them, and to name: of other faces, if there are several."""
    order = rng.permutation(len(faces))
    if faces.max() == 0:
        return order[:GIVEN], order[GIVEN:]
    learnt, wanted = np.zeros(0, int), rng.permutation(faces.max() + 1)
    while len(learnt) < GIVEN:
        face, *wanted = wanted
        learnt = np.append(learnt, order[faces[order] == face])
    return learnt[:GIVEN], np.setdiff1d(np.arange(len(faces)), learnt)


def stacked(systems, k, letters=None):
    """`(x, y)` of many systems, with classes of the second after those of the first, and the system of each class."""
    parts = [system.first(k, letters) for system in systems]
    each = parts[0][1].max() + 1
    y = np.concatenate([y + number * each for number, (_, y) in enumerate(parts)])
    return np.concatenate([x for x, _ in parts]), y, np.repeat(np.arange(len(systems)), each)


def trunk(x, y, groups, *, own, seed, steps=None):
    """A network trained on all letters: each an answer among those of its own system, or among all."""
    groups = {"letter": groups} if own else None
    net = multitask.Network({"letter": int(y.max()) + 1}, hidden=HIDDEN, groups=groups, seed=seed)
    order = multitask.batches([np.arange(len(x))], steps or STEPS, batch=BATCH, seed=seed)
    return net.fit(x, {"letter": y}, order)


def head(features, features_test, x, y, c):
    """Logits of a logistic regression on what `features` makes of pictures, scaled alike."""
    from sklearn.linear_model import LogisticRegression

    rows = features(x)
    scale = rows.std() + 1e-6
    fitted = LogisticRegression(C=c, max_iter=1000).fit(rows / scale, y)
    return fitted.decision_function(features_test / scale)


def network(letters, rate, seed):
    """A new one for as many letters."""
    return multitask.Network({"letter": letters}, hidden=HIDDEN, rate=rate, seed=seed)


def trained(net, x, y, steps, seed):
    """`net`, from its start."""
    return net.fit(x, {"letter": y}, multitask.batches([np.arange(len(x))], steps, batch=BATCH, seed=seed))


def right(logits, y):
    """Percent; every letter comes equally often."""
    return float(100 * np.mean(logits.argmax(axis=1) == y))


def flat(x):
    """No trunk at all."""
    return x.reshape(len(x), -1) / 255


def fold_of(systems, fold):
    """Those that train the trunk, and those that are new."""
    new = [system for i, system in enumerate(systems) if i % FOLDS == fold]
    return [system for i, system in enumerate(systems) if i % FOLDS != fold], new


def trial(config):
    """Percent named right of each system, by arm and by labelled drawings a letter.

    "member" and "member, one softmax" are systems that helped to train the trunk, named by the network itself among the
    system's own letters, and have all of `GIVEN` drawings.
    """
    seed = FIRST + config["seed"]
    old, new = fold_of(world(seed), config["fold"])
    x, y, groups = stacked(old, GIVEN)
    nets = {name: trunk(x, y, groups, own=name == "own", seed=seed) for name in ("own", "one")}
    nets["random"] = network(len(new[0].x), 1e-3, seed)
    rows = []
    for number, system in enumerate(old):
        for name, arm in {"own": "member", "one": "member, one softmax"}.items():
            logits = nets[name].logits("letter", system.x_test)[:, groups == number]
            rows.append(row(system, arm, GIVEN, right(logits, system.y_test)))
    learners = {
        what: {k: network(len(new[0].x), setting[k][1], seed) for k in SHOTS}
        for what, setting in {"alone": ALONE, "tuned": TUNED}.items()
    }
    for system in new:
        read = {name: nets[name].features(system.x_test) for name in nets}
        for k in SHOTS:
            given = system.first(k)
            found = {name: head(nets[name].features, read[name], *given, C[name]) for name in nets}
            found["pixels"] = head(flat, flat(system.x_test), *given, C["pixels"])
            net = trained(learners["alone"][k], *given, ALONE[k][0], seed)
            found["alone"] = net.logits("letter", system.x_test)
            found["tuned"] = tuned(learners["tuned"][k], nets["own"], *given, TUNED[k][0], seed).logits(
                "letter", system.x_test
            )
            rows += [row(system, arm, k, right(logits, system.y_test)) for arm, logits in found.items()]
    return rows


def tuned(net, source, x, y, steps, seed):
    """`net` with the trunk of `source` to start from, trained as a whole."""
    return trained(net.start_from([w.numpy() for w in source.trunk.trainable_weights]), x, y, steps, seed)


def row(system, arm, k, accuracy):
    """Of a system, as it is recorded."""
    return {"system": system.name, "faces": system.faces, "arm": arm, "k": k, "accuracy": accuracy}
