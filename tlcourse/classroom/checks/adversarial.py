"""Checks of chapter 12: a gradient turned round, a gap from the right floor, information, one ratio a class."""

import numpy as np

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
    return "Forwards nothing, backwards times −λ: one line, and the heart of domain-adversarial training."


@numeric
def share_of_gap(plain, floor, bare, renormed, adapted, ceiling) -> Question:
    """The share of the gap that the adversary closes, in percent of means over runs, from the floor that is its own.

    Args:
        plain: accuracies of source only, a run each: the source's statistics, colours as they are.
        floor: the source's statistics, colours inverted by chance.
        bare: no batch norm, colours inverted by chance.
        renormed: the target's statistics, colours inverted by chance: all that the adversary has, but itself.
        adapted: with the adversary.
        ceiling: trained on the target.
    """
    by_run = np.asarray(adapted) - np.asarray(renormed), np.asarray(ceiling) - np.asarray(renormed)
    plain, floor, bare, renormed, adapted, ceiling = (
        float(np.mean(runs)) for runs in (plain, floor, bare, renormed, adapted, ceiling)
    )
    gap = ceiling - renormed
    return Question(
        100 * (adapted - renormed) / gap,
        {
            100 * (adapted - plain) / (ceiling - plain): "That floor lacks the coin, too, and it has the source's "
            "statistics: what of this is the adversary's?",
            100 * (adapted - floor) / (ceiling - floor): "That floor has the coin, but still the source's statistics. "
            "Round 2 brought much of this without an adversary.",
            100 * (adapted - bare) / (ceiling - bare): "That network has no batch norm, and DANN has: then the two "
            "differ in more than the adversary.",
            float(np.mean(100 * by_run[0] / by_run[1])): "That is the mean of the runs' shares. Here: the share of the "
            "means.",
            adapted - renormed: "The floor is the right one, and those are the points gained. Of how many that there "
            "were to gain?",
            (adapted - renormed) / gap: "That is a share between 0 and 1; in percent, please.",
            100 * (ceiling - adapted) / gap: "That is the share that is still open.",
            100 * (adapted - renormed) / renormed: "That counts from the floor's accuracy. What is the gap?",
            100 * (adapted - renormed) / (100 - renormed): "Not even training on the target gives 100 %.",
        },
        otherwise="Which floor has batch norm, the coin and the target's statistics? From there to the ceiling: how "
        "much of that way does DANN go?",
        praise="{} % of what was left to do: that is the adversary's, and no more.",
        decimals=1,
    )


@exercise
def informed(information) -> str:
    """A function of a table of answers: the entropy of the mean answer minus the mean entropy, one number."""
    expect_function(information, "a table of answers")
    classes, n = 10, 40
    sure = np.eye(classes)[np.arange(n) % classes]
    same = np.eye(classes)[np.full(n, 3)]
    unsure = np.full((n, classes), 1 / classes)
    drawn = np.random.default_rng(20120626).dirichlet(np.full(classes, 0.3), n)
    made = [information(table.copy()) for table in (sure, same, unsure, drawn)]
    require(
        all(np.size(value) == 1 for value in made),
        f"Expected one number for the whole table, got {np.size(made[0])} of them: an entropy is a sum over classes, "
        "and then a mean over pictures is due.",
    )
    varied, constant, doubtful, got = (float(np.squeeze(value)) for value in made)
    require(
        np.isfinite([varied, constant, doubtful, got]).all(),
        "Your number is not finite: the logarithm of a 0, which `entr(p)` takes care of, or a division by an entropy "
        "that is 0.",
    )
    require(
        not np.isclose(varied, -np.log(classes)),
        "The wrong way round: whoever is sure of each picture, and does not say the same of all, has your *smallest* "
        "number. Which of the two entropies should be large?",
    )
    require(
        not (np.isclose(varied, constant) and not np.isclose(constant, doubtful)),
        "A network that calls every picture a 3 has the same number as one that is sure and varied. Which entropy "
        "notices that?",
    )
    require(
        not np.isclose(varied, doubtful),
        "A network that has no idea of any picture has the same number as one that is sure and varied. Which entropy "
        "notices that?",
    )
    mean = drawn.mean(axis=0)
    of_mean, of_each = -(mean * np.log(mean)).sum(), -(drawn * np.log(drawn)).sum(axis=1)
    require(
        not np.isclose(got, (of_mean - of_each.mean()) / classes),
        "An entropy is the *sum* over the classes; yours is their mean.",
    )
    require(
        not np.isclose(got, of_mean - of_each.sum()),
        "The second entropy is summed over the pictures, so it grows with their number: take the mean.",
    )
    require(
        not np.isclose(got, (of_mean - of_each.mean()) / np.log(2)), "That is in bits; here, the natural logarithm."
    )
    require(
        np.isclose(got, of_mean - of_each.mean(), rtol=1e-4),
        f"On a table of random answers expected {of_mean - of_each.mean():.3f}, got {got:.3f}: of each row the "
        "entropy, then the mean; and of the mean row the entropy.",
    )
    return "Large only for who is sure of each answer, and not of the same one. No label was needed."


@numeric
def at_least_wrong() -> Question:
    """Share in percent of the target's pictures that perfect alignment names wrongly, three of ten classes there.

    Ten classes come equally often in the source, on which nothing is named wrongly.
    """
    return Question(
        70,
        {
            30: "So many may be right. How many have to be wrong?",
            0.7: "That is a share between 0 and 1; in percent, please.",
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
        "Nothing is aligned: your answer is the target's table as it was. Print the ratio: how many numbers should "
        "it be? The mean of *all* entries of a table whose rows sum to 1 is the same, whatever it holds.",
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
