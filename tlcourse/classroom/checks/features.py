"""Checks of chapter 02: the worth of a label, honest folds, nearest neighbours, and the lazy classifier."""

import numpy as np

from tlcourse.classroom.checks.core import PERCENT, Question, exercise, expect, numeric, require


@exercise
def honest_folds(folds, photo_of, labels) -> str:
    """Pairs (train rows, test rows) in which no photograph is on both sides, no class on one, and nothing left out.

    `photo_of` says which photograph a row was made from, `labels` of which class it is.
    """
    require(
        not hasattr(folds, "__next__"),
        "Expected a list, got an iterator, which gives its pairs once and is empty afterwards: make it a list.",
    )
    expect(folds, (list, tuple), "a list of pairs (train_rows, test_rows)")
    photo_of = np.asarray(photo_of)
    for fold in folds:
        require(len(fold) == 2, "Expected a list of pairs (train_rows, test_rows): a fold has two sides.")
    pairs = [tuple(np.unique(np.arange(len(photo_of))[np.asarray(side)]) for side in fold) for fold in folds]
    for train, test in pairs:
        shared = len(np.intersect1d(photo_of[train], photo_of[test]))
        require(
            shared == 0,
            f"In a fold, {shared} photographs are on both sides, as different copies: the classifier is tested on "
            "pictures that it has practically seen. Stratifying or shuffling the rows does not help.",
        )
    tested = np.concatenate([[], *(np.unique(photo_of[test]) for _, test in pairs)])
    every, times = np.unique(photo_of), np.unique(tested, return_counts=True)[1]
    require(len(times) == len(every), "Some photographs are never tested: the folds have to cover all of them.")
    require(times.max() == 1, "Some photographs are tested in several folds; each in exactly one, please.")
    for train, test in pairs:
        others = ~np.isin(photo_of, photo_of[test])
        left_out = len(np.setdiff1d(photo_of[others], photo_of[train]))
        require(left_out == 0, f"Nothing leaks, but a fold trains without {left_out} photographs that it could use.")
        copies = others.sum() - len(train)
        require(
            copies == 0,
            f"Nothing leaks, but of what may be trained on {copies} augmented copies are left out: "
            + ("nothing is augmented any more." if len(train) == len(np.unique(photo_of[train])) else "take them all."),
        )
        strange = np.setdiff1d(np.asarray(labels)[test], np.asarray(labels)[train])
        require(len(strange) == 0, "A fold is tested on a class that it never trains on: mix the classes.")
    return "All copies of a photograph stay together, so the test is a test again."


@numeric
def worth_of_one(shots) -> Question:
    """Points that each further photograph of a class adds between five and eight, with CNN features, mean of draws."""
    mean = shots.groupby(["features", "k"]).accuracy.mean()
    cnn, hog = mean["CNN"], mean["HOG"]
    worth = (cnn[8] - cnn[5]) / 3
    return Question(
        worth,
        {
            cnn[8] - cnn[5]: "That is what the three add together. What does each of them?",
            (cnn[8] - cnn[5]) / 8: "Eight are there at the end; how many of them came after the fifth?",
            (cnn[8] - cnn[1]) / 7: "That is each further one from the first on: it hides that the second brings most.",
            cnn[2] - cnn[1]: "That is what the second one adds. From five to eight, please.",
            (hog[8] - hog[5]) / 3: "That is HOG's. With CNN features, please.",
            100 * (cnn[8] / cnn[5] - 1) / 3: "That is in percent of what five give. Points are a difference.",
        },
        otherwise="The difference of two means, `k` 8 and 5, shared among the photographs that were added.",
        praise=f"{{}} points each; the second photograph of a class added {cnn[2] - cnn[1]:.0f}.",
        decimals=2,
    )


@numeric
def nearest_neighbour(rows, y) -> Question:
    """Leave-one-out accuracy, in percent, of the class of the nearest neighbour by cosine."""
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    similarity = unit @ unit.T
    np.fill_diagonal(similarity, -np.inf)
    hit = y[similarity.argmax(axis=1)] == y
    truth, balanced = 100 * hit.mean(), 100 * np.mean([hit[y == label].mean() for label in np.unique(y)])
    return Question(
        truth,
        {
            100: "Every photograph is its own nearest neighbour: leave the query out.",
            balanced: "That is the balanced accuracy: count all photographs alike.",
            truth / 100: PERCENT,
        },
        otherwise="Does each photograph ask once, and for the one nearest by cosine?",
        praise="{} %, without training anything at all.",
        decimals=1,
    )


@numeric
def lazy_classifier(y) -> Question:
    """The plain accuracy, in percent, of always giving the commoner of two labels, 0 and 1."""
    truth = 100 * max(np.mean(y), 1 - np.mean(y))
    return Question(
        truth,
        {
            50: "Half would be right if both labels were equally common. Count them.",
            100 - truth: "That is the rarer label: the lazy one would choose the other.",
            truth / 100: PERCENT,
        },
        otherwise="How many of the test sentences have the label that the lazy one gives?",
        praise="{} % for knowing nothing. Balanced accuracy gives the same classifier 50.",
    )
