"""Chapter 13: a few labels in the target, and each term of Tzeng et al. (2015) against training on the same labels.

The sets of digits and the collections of stickers are those of chapter 11, in other draws; two sources of sentences go
through the same functions. Of a pair everything in the source has a label, and in the target a few of each class, or of
half of the classes: another half for each pair and draw. Principal components, fitted without labels, leave `WIDTH`
numbers of each input; on top a small network learns, all its examples in every step.

The weight of a term is what did best on the *other* kind of pictures in `term_weights`, which has draws of its own; the
temperature comes from the sources: with it a teacher leaves about half to an example's own class. Width and steps were
set beforehand. What is claimed was thought of on ten earlier draws; these ten are new.
"""

from typing import NamedTuple

import numpy as np

from tlcourse.experiments import alignment
from tlcourse.methods import confusion

DOMAINS = {
    "digits": alignment.SETS,
    "stickers": ("photo", "clipart", "noto", "twemoji", "openmoji"),
    "sentences": ("film", "product"),
}
CONFIGS = [{"kind": kind, "source": source} for kind, names in DOMAINS.items() for source in names]
SENTENCES = 200
WIDTH, STEPS = 100, 200
T, FIRST = 4.0, 200
CHOSEN = {  # weights: soft labels' are to be multiplied by T²
    "digits": {"confusion": 0.01, "soft": 1.0, "labels": 1.0},
    "stickers": {"confusion": 0.01, "soft": 3.0, "labels": 4.0},
    "sentences": {"confusion": 0.01, "soft": 1.0, "labels": 1.0},
}
LABELS = (1, 3, 5, 10)
MINIATURE = {
    "config": {"kind": "stickers", "source": "photo"},
    "WIDTH": 4,
    "STEPS": 2,
    "LABELS": (1,),
}


class Pair(NamedTuple):
    """Two domains as `WIDTH` numbers of each input, source before target, and the target's test."""

    x: np.ndarray
    domain: np.ndarray  # 0 for the source
    y_source: np.ndarray
    y_target: np.ndarray  # read by `ask_for` alone
    x_test: np.ndarray
    y_test: np.ndarray

    def ask_for(self, classes, k, seed):
        """Labels of source and target: k of each of these classes, or all there are; the rest is hidden, as -1."""
        y = np.concatenate([self.y_source, np.full(len(self.y_target), -1)])
        chosen = given(self.y_target, classes, k, np.random.default_rng(seed))
        y[len(self.y_source) + chosen] = self.y_target[chosen]
        return y


def given(y, classes, k, rng):
    """Which k examples of each of these classes, or all there are, have a label; smaller draws lie in larger ones."""
    order = rng.permutation(len(y))
    return np.concatenate([np.zeros(0, int), *(order[y[order] == c][:k] for c in classes)])


def pair(source, target):
    """Principal components of both domains, scaled alike, without labels; each is `(x, y, x_test, y_test)`."""
    from sklearn.decomposition import PCA

    both = np.concatenate([source[0], target[0]])
    turn = PCA(WIDTH, svd_solver="full").fit(both)
    x, x_test = ((turn.transform(rows) / turn.transform(both).std()).astype("float32") for rows in (both, target[2]))
    return Pair(x, np.repeat([0, 1], [len(source[0]), len(target[0])]), source[1], target[1], x_test, target[3])


def read(kind, seed):
    """Of each domain of a kind `(x, y, x_test, y_test)`."""
    of = {"digits": alignment.digits, "stickers": alignment.stickers, "sentences": sentences}[kind]
    return of(FIRST + seed)


def sentences(seed):
    """Of each source of sentences `(x, y, x_test, y_test)`, with x of length 1."""
    from sklearn.preprocessing import normalize

    from tlcourse.material import data, features

    parts = {}
    for name in DOMAINS["sentences"]:
        split, rng = data.reviews(name), np.random.default_rng(seed)
        i, j = (rng.permutation(len(y))[:n] for y, n in ((split.y_train, SENTENCES), (split.y_test, 400)))
        x, x_test = (normalize(features.embed(texts, length=64)) for texts in (split.x_train[i], split.x_test[j]))
        parts[name] = x, split.y_train[i], x_test, split.y_test[j]
    return parts


def arms(soft, chosen):
    """What is trained, and how, by name."""
    softly = {"weight": chosen["soft"] * T**2, "temperature": T}
    return {
        "joint": {},
        "labels weighted": {"weight": chosen["labels"]},  # soft labels that are the labels themselves
        "soft": {"soft": soft, **softly},
        "soft, even": {"soft": confusion.evened(soft), **softly},
        "confusion": {"confusion": chosen["confusion"]},
        "both": {"soft": soft, **softly, "confusion": chosen["confusion"]},
    }


def right(y, logits, classes, *, among=None):
    """Mean percent named right over these classes, where only some names are allowed (None: all of them)."""
    names = np.arange(logits.shape[1]) if among is None else np.sort(among)
    named = names[logits[:, names].argmax(axis=1)]
    return float(np.mean([100 * (named[y == c] == c).mean() for c in classes]))


def judged(net, task, has):
    """What is right in the target's test, where the classes `has` had labels; see `trial`."""
    logits, unlabelled = net.logits(task.x_test), net.logits(task.x[task.domain == 1])
    shares = np.bincount(task.y_source) / len(task.y_source)
    others = np.setdiff1d(np.arange(len(shares)), has)
    score = {"accuracy": right(task.y_test, logits, range(len(shares)))}
    if 1 < len(others) < len(shares):
        evenly = confusion.rebalanced(logits, unlabelled, shares)
        score["labelled"], score["others"] = (right(task.y_test, logits, part) for part in (has, others))
        score["among_others"] = right(task.y_test, logits, others, among=others)
        score["labelled_rebalanced"] = right(task.y_test, evenly, has)
        score["others_rebalanced"] = right(task.y_test, evenly, others)
    return score


def shuffled(y, domain, rng):
    """The target's labels are given to the same pictures at random."""
    mixed, known = y.copy(), np.flatnonzero((y >= 0) & (domain == 1))
    mixed[known] = rng.permutation(y[known])
    return mixed


def same_heap(y, domain, rng):
    """For each label of the target one of that class is hidden in the source, as far as there are any."""
    fewer, order = y.copy(), rng.permutation(np.flatnonzero(domain == 0))
    for c, k in zip(*np.unique(y[(y >= 0) & (domain == 1)], return_counts=True), strict=True):
        fewer[order[y[order] == c][:k]] = -1
    return fewer


def of_pair(net, task, chosen, seed):
    """The rows of one pair; `seed` for the half of the classes that has labels, and for which these are."""
    hidden = task.ask_for([], 0, seed)
    classes = np.random.default_rng(seed).permutation(net.classes)
    teacher = net.fit(task.x, hidden, task.domain).logits(task.x[task.domain == 0])
    all_arms, rows = arms(confusion.soft_labels(teacher, task.y_source, T), chosen), []
    for has in (classes, classes[: net.classes // 2]):
        if net.classes - len(has) == 1:
            continue  # among one name there is nothing to tell

        def run(method, k, y, has=has, **arm):
            score = judged(net.fit(task.x, y, task.domain, **arm), task, has)
            rows.append({"classes": len(has), "labels": k, "method": method, **score})

        run("source alone", 0, hidden)
        for k in LABELS:
            y = task.ask_for(has, k, seed)
            for method, arm in all_arms.items():
                run(method, k, y, **arm)
            if len(has) == net.classes:
                run("target alone", k, y, counts=task.domain)
            else:
                run("names shuffled", k, shuffled(y, task.domain, np.random.default_rng(seed)))
                run("same heap", k, same_heap(y, task.domain, np.random.default_rng(seed)))
    return rows


def trial(config):
    """Percent named right in each target, by how many classes have labels, how many each, and the arm.

    `labelled` and `others` are means over the classes with labels and without; `among_others` is that of the latter
    when only their names are allowed; the last two are those with answers `rebalanced` to the source's shares.
    """
    parts, rows, net = read(config["kind"], config["seed"]), [], None
    for number, target in enumerate(parts):
        if target != config["source"]:
            task = pair(parts[config["source"]], parts[target])
            net = net or confusion.Network(WIDTH, len(np.unique(task.y_source)), steps=STEPS, seed=config["seed"])
            seed = [config["seed"], DOMAINS[config["kind"]].index(config["source"]), number]
            rows += [{"target": target, **row} for row in of_pair(net, task, CHOSEN[config["kind"]], seed)]
    return rows
