"""Zero-shot learning with a linear map: pictures on one side, a space of names or attributes on the other.

A concept (a cat, a lorry) is a number; `kind[c]` is the class of concept c. Concepts are seen or unseen as a whole, and
whatever is chosen is chosen by rehearsals, in which some of the *seen* ones are hidden.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

Way = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray, float], np.ndarray]
Alike = Callable[[np.ndarray, np.ndarray], np.ndarray]
STRENGTHS = (1.0, 10.0, 100.0)


class Task(NamedTuple):
    """Pictures to learn from and pictures to name.

    Attributes:
        x: `(n, features)`, pictures of seen concepts.
        y: `(n,)`, what they show.
        new: `(m, features)`, pictures of seen and of unseen concepts, from another set.
        truth: `(m,)`, what those show; of a real task nothing that learns or chooses may read it.
        seen: `(concepts,)` bool.
        unseen: `(concepts,)` bool; a concept may be neither.
    """

    x: np.ndarray
    y: np.ndarray
    new: np.ndarray
    truth: np.ndarray
    seen: np.ndarray
    unseen: np.ndarray


def prepare(train: np.ndarray, *others: np.ndarray) -> list[np.ndarray]:
    """Standardise, make each row's length 1, and turn to the principal axes: all learnt from `train` alone."""
    from sklearn.decomposition import PCA
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import Normalizer, StandardScaler

    steps = make_pipeline(StandardScaler(), Normalizer(), PCA(svd_solver="full")).fit(train)
    return [steps.transform(rows) for rows in (train, *others)]


def thirds(kind: np.ndarray, chosen: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """0, 1 or 2 for each chosen concept, at random and evenly in each class; -1 for the others."""
    part = np.full(len(kind), -1)
    for k in np.unique(kind):
        mine = rng.permutation(np.flatnonzero(chosen & (kind == k)))
        part[mine] = np.arange(len(mine)) % 3
    return part


def draw(
    sets: Mapping[str, np.ndarray], concept: np.ndarray, kind: np.ndarray, *, seed: int
) -> tuple[Task, list[Task]]:
    """A third of the concepts becomes unseen; two of three sets of pictures teach, and the third tests.

    Args:
        sets: three sets of features, `(n, features)` each, of the same things in the same order.
        concept: `(n,)`, the number of the concept that picture i shows.
        kind: `(concepts,)`, the class of each concept.
        seed: chooses the third, and the set that tests.

    Returns:
        The real task, and three rehearsals of it. In each another third of the *seen* concepts is hidden, one of the
        two sets teaches, and the other tests.

    Raises:
        ValueError: there are not three sets, or they do not show the same things.
    """
    shapes = [rows.shape for rows in sets.values()]
    if len(sets) != 3 or len({*shapes, (len(concept), *shapes[0][1:])}) > 1:
        raise ValueError(
            f"Expected three sets of {len(concept)} pictures each, got {shapes}: give the same things thrice."
        )

    def task(teach: Sequence[str], test: str, seen: np.ndarray, unseen: np.ndarray) -> Task:
        mine, asked = seen[concept], (seen | unseen)[concept]
        x, new = prepare(np.concatenate([sets[name][mine] for name in teach]), sets[test][asked])
        return Task(x, np.tile(concept[mine], len(teach)), new, concept[asked], seen, unseen)

    rng = np.random.default_rng(seed)
    unseen = thirds(kind, kind == kind, rng) == 0
    hidden = thirds(kind, ~unseen, rng)
    *teach, test = np.roll(list(sets), seed)
    rehearsals = [task([teach[i % 2]], teach[1 - i % 2], ~unseen & (hidden != i), hidden == i) for i in range(3)]
    return task(teach, test, ~unseen, unseen), rehearsals


def cosine(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The cosine of each row of `a` with each row of `b`."""
    from sklearn.metrics.pairwise import cosine_similarity

    return cosine_similarity(a, b)


def to_names(
    x: np.ndarray, space: np.ndarray, new: np.ndarray, named: np.ndarray, strength: float, alike: Alike = cosine
) -> np.ndarray:
    """Likeness of new pictures (rows) to names (columns), after a ridge regression from pictures to names.

    Args:
        x: `(n, features)`, seen pictures.
        space: `(n, width)`, the name or the attributes of each.
        new: `(m, features)`.
        named: `(names, width)`.
        strength: of ridge regression.
        alike: takes two tables, gives the likeness of each row of the one to each row of the other; the larger, the
            more alike. Both are seen from the mean of `space`.

    Returns:
        `(m, names)`.
    """
    from sklearn.linear_model import Ridge

    mean = space.mean(axis=0)
    landed = Ridge(alpha=strength).fit(x, space).predict(new)
    return alike(landed - mean, named - mean)


def occurrences(scores: np.ndarray, k: int) -> np.ndarray:
    """For each name (a column), how many pictures (rows) have it among their `k` most alike (Radovanović et al., 2010).

    The mean is `k` times pictures over names; few large numbers and many zeros are hubs.
    """
    return np.bincount(np.argsort(-scores, axis=1)[:, :k].ravel(), minlength=scores.shape[1])


def beats(scores: np.ndarray, task: Task, kind: np.ndarray, rivals: str = "all") -> np.ndarray:
    """Of the unseen names, how many the right one beats, for each picture of an unseen concept; luck is 0.5.

    Args:
        scores: `(m, names)`, of `task.new`.
        task: the task.
        kind: the class of each concept.
        rivals: names of "all" classes, of the others ("across") or of the picture's own ("inside").

    Returns:
        Shares, one a picture of an unseen concept, in their order.

    Raises:
        ValueError: `rivals` is another word.
    """
    asked = task.unseen[task.truth]
    z, y = np.round(scores[asked], 9), task.truth[asked]  # what differs by rounding alone is equal
    alike = kind[y][:, None] == kind
    by_word = {"all": alike | True, "across": ~alike, "inside": alike}
    if rivals not in by_word:
        raise ValueError(f"Expected one of {', '.join(by_word)}, got {rivals!r}: say against which names.")
    allowed = by_word[rivals] & task.unseen & (y[:, None] != np.arange(len(kind)))
    own = z[np.arange(len(y)), y][:, None]
    return (((z < own) + (z == own) / 2) * allowed).sum(axis=1) / allowed.sum(axis=1)


def rehearse(
    rehearsals: Sequence[Task],
    space: np.ndarray,
    kind: np.ndarray,
    way: Way = to_names,
    strengths: Sequence[float] = STRENGTHS,
) -> tuple[float, list[np.ndarray]]:
    """The strength with which the hidden concepts beat most other hidden names, and the scores that it gave.

    Args:
        rehearsals: as from `draw`.
        space: `(concepts, width)`.
        kind: the class of each concept.
        way: `to_names`, or another function of these arguments.
        strengths: what is tried.
    """
    tried = [[way(t.x, space[t.y], t.new, space, strength) for t in rehearsals] for strength in strengths]
    right = [np.mean([beats(z, t, kind).mean() for z, t in zip(all_of, rehearsals, strict=True)]) for all_of in tried]
    best = int(np.argmax(right))
    return strengths[best], tried[best]


def shuffled(space: np.ndarray, seen: np.ndarray, groups: np.ndarray, *, seed: int) -> np.ndarray:
    """`space` with the rows of seen concepts swapped at random within each group: a control for what a name says."""
    rng, swapped = np.random.default_rng(seed), space.copy()
    for group in np.unique(groups):
        mine = np.flatnonzero(seen & (groups == group))
        swapped[mine] = space[rng.permutation(mine)]
    return swapped
