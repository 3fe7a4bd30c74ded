"""Checks of chapter 02: honest folds, nearest neighbours, and the lazy classifier."""

import numpy as np

from tlcourse.classroom.checks.core import a_number, exercise, require


@exercise
def honest_folds(folds, photo_of) -> str:
    """Pairs (train rows, test rows) in which no photograph is on both sides and each is tested once."""
    folds = list(folds)
    require(
        len(folds) > 1 and all(len(fold) == 2 for fold in folds), "Expected a list of pairs (train_rows, test_rows)."
    )
    tested, largest = [], 0
    for train, test in folds:
        train_photos, test_photos = photo_of[np.asarray(train)], photo_of[np.asarray(test)]
        shared = np.intersect1d(train_photos, test_photos)
        require(
            len(shared) == 0,
            f"In a fold, {len(shared)} photographs are on both sides, as different copies: the classifier is tested on "
            "pictures that it has practically seen. Stratifying or shuffling the rows does not help; keep all copies "
            "of a photograph together.",
        )
        tested.append(np.unique(test_photos))
        largest = max(largest, np.bincount(train_photos).max())
    tested = np.concatenate(tested)
    require(set(tested) == set(photo_of), "Some photographs are never tested: the folds have to cover all of them.")
    require(
        len(tested) == len(set(tested)), "Some photographs are tested in several folds; each in exactly one, please."
    )
    trained = min(len(np.unique(photo_of[np.asarray(train)])) for train, _ in folds)
    require(
        2 * trained >= len(np.unique(photo_of)),
        "Nothing leaks, but a fold trains on less than half of the photographs.",
    )
    require(largest > 1, "Nothing leaks, but nothing is augmented either: each photograph is trained on only once.")
    return "All copies of a photograph stay together, so the test is a test again."


@exercise
def nearest_neighbour(answer, rows, y) -> str:
    """Leave-one-out accuracy, in percent, of the class of the nearest neighbour by cosine."""
    answer = a_number(answer, low=0, high=100)
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    similarity = unit @ unit.T
    np.fill_diagonal(similarity, -np.inf)
    hit = y[similarity.argmax(axis=1)] == y
    truth, balanced = 100 * hit.mean(), 100 * np.mean([hit[y == label].mean() for label in np.unique(y)])
    require(answer != 100, "Every photograph is its own nearest neighbour: leave the query out.")
    require(abs(answer - truth / 100) > 0.005, "That is a share between 0 and 1; in percent, please.")
    require(
        abs(answer - balanced) > 0.05 or abs(answer - truth) < 0.05,
        "That is the balanced accuracy: count all photographs alike.",
    )
    require(
        abs(answer - truth) < 0.05,
        f"Not {answer:.1f}: take the one nearest by cosine of each, and compare the classes.",
    )
    return f"{truth:.1f} %, without training anything at all."


@exercise
def lazy_classifier(answer, y) -> str:
    """The share, in percent, of the commoner label."""
    answer = a_number(answer, low=0, high=100)
    truth = 100 * max(np.mean(y), 1 - np.mean(y))
    require(abs(answer - 50) > 0.05, "Half would be right if both labels were equally common. Count them.")
    require(abs(answer - (100 - truth)) > 0.05, "That is the rarer label: the lazy one would choose the other.")
    require(abs(answer - truth / 100) > 0.005, "That is a share between 0 and 1; in percent, please.")
    require(abs(answer - truth) < 0.05, f"Not {answer:.1f}: count how many test sentences have the commoner label.")
    return f"{truth:.0f} % for knowing nothing. Balanced accuracy gives the same classifier 50."
