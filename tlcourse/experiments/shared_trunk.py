"""Chapter 14: hidden layers that many writing systems share, carried to a new one, after Huang et al. (2013).

A fifth of the fifty systems is new in turn; the others train the trunk, each with ten drawings a letter. Of a new
system one, three or ten drawings a letter have a label, and the others are named: drawings of other faces, where a
system has several; bold beside regular counts as another face, too. What is learnt from is dealt face by face in turn.
Ten systems have a single face, and what is named there differs from what was learnt by distortion alone: the column
`faces` keeps them apart. Systems that look much alike are new together.

Each arm's settings are what did best in `trunk_settings`, on other draws of the same systems, for it and for the
control alike. Where the shared layers are trained on, they start with the head that was solved on them frozen.
"""

from typing import NamedTuple

import numpy as np

from tlcourse.methods import multitask

FOLDS = 5
CONFIGS = [{"fold": fold} for fold in range(FOLDS)]
GIVEN, SHOTS = 10, (1, 3, 10)  # drawings a letter that may be learnt from; of a new system
HIDDEN, BATCH = 128, 64
STEPS = {"own": 1000, "one": 3000}  # of a trunk
MEMBERS = 6000  # of "own", where it names the letters of systems that helped to train it
FIRST = 100
ALONE = {1: (1000, 0.0005), 3: (300, 0.0005), 10: (300, 0.002)}  # steps and rate, by drawings a letter
TUNED = {10: (1000, 0.0001)}  # with most drawings alone
C = {"own": 0.1, "one": 0.1, "random": 100.0, "pixels": 10.0}  # of the head, a logistic regression
RELATED = (("Lao", "Thai"), ("Kannada", "Telugu"), ("Bengali", "Devanagari"), ("Tamil", "Grantha"))  # look alike
MINIATURE = {
    "config": {"fold": 0},
    "HIDDEN": 6,
    "STEPS": {"own": 2, "one": 2},
    "MEMBERS": 1,
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
    face: np.ndarray  # of each of a letter's drawings in `x`
    x_test: np.ndarray
    y_test: np.ndarray

    def first(self, k, letters=None, *, alike=False):
        """`(x, y)` of the first k drawings of each letter, or of the first few letters; `alike`: of one face."""
        letters, order = letters or len(self.x), np.arange(len(self.face))
        if alike:
            order = np.argsort(self.face != np.bincount(self.face).argmax(), kind="stable")
        return self.x[:letters, order[:k]].reshape(-1, *self.x.shape[2:]), np.repeat(np.arange(letters), k)


def world(seed):
    """All systems and their letters, in random order; what is learnt from depends on the seed and the system alone."""
    from tlcourse.material import data

    scripts = data.scripts()
    names, faces, found = list(dict.fromkeys(scripts.systems)), scripts.faces, []
    images = scripts.images.reshape(len(names), -1, *scripts.images.shape[1:], 1)
    for number, (name, letters) in enumerate(zip(names, images, strict=True)):
        of = faces[number * images.shape[1]]
        learnt, named = divided(of, np.random.default_rng([seed, number]))
        letters = letters[np.random.default_rng([seed, number, 1]).permutation(len(letters))]
        y_test = np.repeat(np.arange(len(letters)), len(named))
        x_test = letters[:, named].reshape(-1, *letters.shape[2:])
        found.append(System(name, int(of.max()) + 1, letters[:, learnt], of[learnt], x_test, y_test))
    order = dealt(names, np.random.default_rng(seed))
    return [found[i] for i in order]


def dealt(names, rng):
    """Numbers of the systems in random order, but both of a `RELATED` pair in the same fold."""
    pairs = [[names.index(name) for name in RELATED[i]] for i in rng.permutation(len(RELATED))]
    single = [i for i in rng.permutation(len(names)) if not any(i in pair for pair in pairs)]
    rest = FOLDS - len(pairs)  # folds without a pair
    first, second = zip(*pairs, strict=True)
    return [*first, *single[:rest], *second, *single[rest:]]


def divided(faces, rng):
    """Drawings to learn from, `GIVEN` of them, its faces in turn, and to name: of other faces, if there are several."""
    order = rng.permutation(len(faces))
    if faces.max() == 0:
        return order[:GIVEN], order[GIVEN:]
    learnt, wanted = np.zeros(0, int), rng.permutation(faces.max() + 1)
    while len(learnt) < GIVEN:
        face, *wanted = wanted
        learnt = np.append(learnt, order[faces[order] == face])
    named = np.setdiff1d(np.arange(len(faces)), learnt)
    learnt = learnt[:GIVEN]
    turn = np.array([np.sum(faces[learnt[:i]] == faces[drawing]) for i, drawing in enumerate(learnt)])
    return learnt[np.argsort(turn, kind="stable")], named


def stacked(systems, k, letters=None, *, alike=False):
    """`(x, y)` of many systems, with classes of the second after those of the first, and the system of each class."""
    parts = [system.first(k, letters, alike=alike) for system in systems]
    each = parts[0][1].max() + 1
    y = np.concatenate([y + number * each for number, (_, y) in enumerate(parts)])
    return np.concatenate([x for x, _ in parts]), y, np.repeat(np.arange(len(systems)), each)


def grown(x, y, groups, at, seed):
    """Yields the steps taken and the trunk: a network trained on all letters, as often as `at` says.

    Each letter is an answer among those of its group, or among all if `groups` is None.
    """
    groups = None if groups is None else {"letter": groups}
    net = multitask.Network({"letter": int(y.max()) + 1}, hidden=HIDDEN, groups=groups, seed=seed)
    order = multitask.batches([np.arange(len(x))], at[-1], batch=BATCH, seed=seed)
    for start, end in zip([0, *at], at, strict=False):
        yield end, net.fit(x, {"letter": y}, order[start:end], go_on=start > 0)


def head(features, x, y, c):
    """Weights and bias of a logistic regression on what `features` makes of pictures, scaled alike."""
    from sklearn.linear_model import LogisticRegression

    rows = features(x)
    scale = rows.std() + 1e-6
    fitted = LogisticRegression(C=c, max_iter=1000).fit(rows / scale, y)
    weights, bias = fitted.coef_.T / scale, fitted.intercept_
    if weights.shape[1] == 1:  # of two letters it answers for the second alone
        weights, bias = np.hstack([-weights, weights]) / 2, np.array([-bias[0], bias[0]]) / 2
    return weights, bias


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

    "member" is a system that helped to train the trunk, named by the network itself among the system's own letters;
    "own, known" and "one, known" are how it names the drawings that trained it. All with `GIVEN` drawings.
    """
    seed = FIRST + config["seed"]
    old, new = fold_of(world(seed), config["fold"])
    x, y, groups = stacked(old, GIVEN)
    nets, rows = {}, []
    for name, among in {"own": groups, "one": None}.items():
        marks = sorted({STEPS[name], MEMBERS} if name == "own" else {STEPS[name]})
        for steps, net in grown(x, y, among, marks, seed):
            if name == "own" and steps == MEMBERS:
                rows += members(net, "member", old, among)
            if steps == STEPS[name]:
                rows += members(net, f"{name}, known", old, among, learnt=True)
                kept = [weights.numpy() for weights in net.trained]
        for weights, value in zip(net.trained, kept, strict=True):
            weights.assign(value)
        nets[name] = net
    nets["random"] = network(len(new[0].x), 1e-3, seed)
    learners = {
        what: {k: network(len(new[0].x), rate, seed) for k, (_, rate) in setting.items()}
        for what, setting in {"alone": ALONE, "tuned": TUNED}.items()
    }
    for system in new:
        for k in SHOTS:
            given, found = system.first(k), {}
            for name, net in nets.items():
                weights, bias = heads = head(net.features, *given, C[name])
                found[name] = net.features(system.x_test) @ weights + bias
                if name == "own" and k in TUNED:
                    tuned = started(learners["tuned"][k], net, heads)
                    found["tuned"] = trained(tuned, *given, TUNED[k][0], seed).logits("letter", system.x_test)
            weights, bias = head(flat, *given, C["pixels"])
            found["pixels"] = flat(system.x_test) @ weights + bias
            net = trained(learners["alone"][k], *given, ALONE[k][0], seed)
            found["alone"] = net.logits("letter", system.x_test)
            weights, bias = head(net.features, *given, C["own"])  # the kind of head that a trunk gets
            found["alone, head solved"] = net.features(system.x_test) @ weights + bias
            rows += [row(system, arm, k, right(logits, system.y_test)) for arm, logits in found.items()]
    return rows


def members(net, arm, systems, groups, *, learnt=False):
    """Rows of systems that train together: among which letters the network chooses is as it was in training."""
    for number, system in enumerate(systems):
        x, y = system.first(GIVEN) if learnt else (system.x_test, system.y_test)
        logits = net.logits("letter", x)
        if groups is None:
            y = y + number * len(system.x)
        else:
            logits = logits[:, groups == number]
        yield row(system, arm, GIVEN, right(logits, y))


def started(net, source, heads):
    """`net` with the trunk of `source` and a head that is solved already to start from, as in chapter 04."""
    return net.start_from([w.numpy() for w in source.trunk.trainable_weights], heads)


def row(system, arm, k, accuracy):
    """Of a system, as it is recorded."""
    return {"system": system.name, "faces": system.faces, "arm": arm, "k": k, "accuracy": accuracy}
