"""Checks of chapter 12: a gradient turned round, a share of a gap, a choice without labels, one ratio a class."""

import numpy as np
import pandas as pd

from tlcourse.classroom.checks.core import Question, exercise, expect_function, numeric, require


@exercise
def reversed_gradient(reverse) -> str:
    """A function of a tensor and a scale that gives the tensor on and its gradient back times minus the scale."""
    import tensorflow as tf

    expect_function(reverse, "a tensor and a scale")
    rng = np.random.default_rng(20160101)
    for scale in (0.25, 1.0, 3.0, 0.0):
        x, slope = (tf.constant(rng.normal(size=(5, 4)).astype("float32")) for _ in range(2))
        with tf.GradientTape() as tape:
            tape.watch(x)
            given_on = tf.convert_to_tensor(reverse(x, scale))
            out = tf.reduce_sum(slope * given_on)
        require(
            given_on.shape == x.shape and np.allclose(given_on, x, atol=1e-4),
            "Forwards nothing may happen: what comes out has to be x itself. What has to be added to the part that "
            "carries the gradient, so that the sum is x?",
        )
        back = tape.gradient(out, x)
        require(back is not None, "No gradient comes back: all of it is stopped. Which part must carry it?")
        back = np.asarray(back)
        require(not np.allclose(back, slope) or scale == 0, "The gradient comes back as it was: is x outside the stop?")
        require(
            scale == 0 or not np.allclose(back, scale * slope.numpy()),
            "The gradient has the right size, and its old sign: that would make the domains easier to tell apart.",
        )
        require(
            scale in (0, 1) or not np.allclose(back, -slope.numpy()),
            "The sign is turned, but the gradient has its full size whatever the scale: where does λ belong?",
        )
        require(
            np.allclose(back, -scale * slope.numpy(), atol=1e-5),
            f"With a scale of {scale:g} the gradient should come back times {-scale:g}; it comes back times "
            f"{np.mean(back / slope.numpy()):.3g}.",
        )
    return "Forwards nothing, backwards times −λ: one line, and the whole of domain-adversarial training."


@numeric
def share_of_gap(source_only, adapted, ceiling) -> Question:
    """The share of the gap between source only and trained on the target that adapting closes, in percent."""
    gap = ceiling - source_only
    return Question(
        100 * (adapted - source_only) / gap,
        {
            adapted - source_only: "Those are the points gained. Of how many that there were to gain?",
            100 * (ceiling - adapted) / gap: "That is the share that is still open.",
            100
            * adapted
            / ceiling: "That is adapted over ceiling: whoever does nothing has a large share of that, too.",
            100 * (adapted - source_only) / source_only: "That counts from the source's accuracy. What is the gap?",
            100 * (adapted - source_only) / (100 - source_only): "Not even training on the target gives 100 %.",
            (adapted - source_only) / gap: "That is a share between 0 and 1; in percent, please.",
        },
        otherwise="From source only to trained on the target: how much of that way does the adapted network go?",
        praise="{} % of the way from doing nothing to having the labels.",
        decimals=1,
    )


@exercise
def chosen_without_labels(choose) -> str:
    """A function that takes a table of trained networks and returns the index of one, looking at no target label."""
    expect_function(choose, "a table")
    rng = np.random.default_rng(5)
    rows = []
    for step in range(500, 4001, 500):
        for weight in (0.1, 1.0, 3.0):
            collapsed = weight == 3 and step > 1000
            entropy = 0.02 if collapsed else 1.2 - step / 5000 + 0.1 * weight
            information = 0.05 if collapsed else 1.0 + step / 5000 - 0.15 * abs(weight - 0.5) + 0.01 * rng.normal()
            rows.append((weight, step, entropy, information, 98.5 - 0.2 * weight - step / 8000, 20.0))
    table = pd.DataFrame(rows, columns=["weight", "step", "entropy", "information", "source_accuracy", "accuracy"])
    table = table.sample(frac=1, random_state=0).set_index(np.arange(100, 100 + len(table)))
    best, picks = table.information.idxmax(), []
    for seed in range(6):
        truth = np.random.default_rng(seed).uniform(20, 90, len(table))
        picks.append(choose(table.assign(accuracy=truth, tempting=truth[::-1])))
    first = getattr(picks[0], "name", picks[0])
    labels = [getattr(pick, "name", pick) for pick in picks]
    require(
        len(set(map(str, labels))) == 1,
        "When only the target's hidden labels change, your choice changes: `accuracy` and `tempting` are made of them.",
    )
    require(first in table.index, f"Expected the index of one row, got {first!r}: `idxmax` gives it.")
    picked = table.loc[first]
    require(
        picked.information > 0.5,
        "Your choice is sure of its answers, and gives the same one to every picture. Which column notices that?",
    )
    require(
        first != table.source_accuracy.idxmax(),
        "The source's accuracy barely moves, and has never seen the target: what do the *target's* answers look like?",
    )
    require(first == best, f"Not the row with the largest information: yours has {picked.information:.2f}.")
    return "Sure of each answer, and not of the same one: no label was needed."


@numeric
def at_least_wrong() -> Question:
    """Share in percent of the target's pictures that perfect alignment names wrongly, three of ten classes there."""
    return Question(
        70,
        {
            30: "So many may be right. How many have to be wrong?",
            0: "Nobody can tell the domains apart, so whatever is said of the source is said of the target as often. "
            "How often is something said of the source that the target has none of?",
            100 * 7 / 3: "More than all? Count pictures of the target, not classes.",
            7: "That is the number of classes that are missing; in percent of the pictures, please.",
            90: "That is guessing among ten. Which answers must be wrong, whatever the picture?",
            50: "Not a matter of luck: how often must a missing class be named?",
            100 / 3: "That is one class of the three that are there. How often is a class named that is not there?",
            200 / 3: "That is guessing among the three. But the network also names the seven others: how often?",
        },
        otherwise="If the features are spread alike, so are the answers. How often is a missing class named?",
        praise="At least {} %: the answers are spread as in the source, and seven classes in ten are not there.",
    )


@exercise
def aligned(mended) -> str:
    """A function of two tables of probabilities that scales those of the target to the frequencies of the source."""
    expect_function(mended, "two tables of probabilities")
    rng = np.random.default_rng(20210619)
    source, target = rng.dirichlet([4, 2, 1, 1], 400), rng.dirichlet([1, 1, 3, 1], 300)
    got = np.asarray(mended(source, target), float)
    require(got.shape == target.shape, f"Expected a table like the target's, {target.shape}, got {got.shape}.")
    require(
        not np.allclose(got, target, atol=1e-6),
        "Nothing is aligned: your answer is the target's table as it was. How many numbers does the ratio have?",
    )
    ratio = source.mean(axis=0) / target.mean(axis=0)
    expected = target * ratio
    expected /= expected.sum(axis=1, keepdims=True)
    turned = target / ratio
    require(
        not np.allclose(got, turned / turned.sum(axis=1, keepdims=True)),
        "Upside down: what the source names more often has to become more likely.",
    )
    require(
        np.allclose(got.sum(axis=1), 1, atol=1e-5),
        "Not probabilities any more: each row has to sum to 1. (A vector of *length* 1 does not.)",
    )
    gap = np.abs(np.log(got / expected)).max()
    require(gap < 1e-4, "Rows sum to 1, but the ratio is not that of the two mean answers, one number a class.")
    return "One ratio a class: what the source names more often has become more likely."
