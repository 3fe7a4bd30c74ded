"""Checks of chapter 13: soft labels, an honest share, a share forgotten, and a step that holds still."""

import numpy as np

from tlcourse.classroom.checks.core import Question, exercise, expect_function, numeric, require


@numeric
def honest_share(means) -> Question:
    """Percent of the gain of "both" over "source alone" that it has over "joint"; rows are pairs, columns methods."""
    by = means.mean()
    reported, own = by["both"] - by["source alone"], by["both"] - by["joint"]
    each = (means["both"] - means["joint"]) / (means["both"] - means["source alone"])
    return Question(
        100 * own / reported,
        {
            100 - 100 * own / reported: "That is the labels' share, which anybody has. And her method's?",
            own / reported: "That is a share between 0 and 1; in percent, please.",
            own: "Those are points. Which part are they of the points that she reports?",
            reported: "Those are the points that she reports. How many of them has she on the *same* labels?",
            100 * (by["both"] - by["target alone"]) / reported: "From the target alone. But whoever has both domains "
            "may train on both.",
            100 * (by["confusion"] - by["joint"]) / reported: "That is confusion alone. She has both terms.",
            100 * (by["soft"] - by["joint"]) / reported: "That is soft labels alone. She has both terms.",
            100 * own / by["both"]: "A share of the accuracy. She reports a gain.",
            100 * own / by["joint"]: "A share of the baseline's accuracy. She reports a gain over the source alone.",
            100
            * (by["both"] - by["labels weighted"])
            / reported: "From labels weighted: a fair question, and the next one. Here the baseline is joint.",
            100 * own / (by["joint"] - by["source alone"]): "A share of what the labels gain. Of which gain does *she* "
            "report?",
            100 * each.mean(): "That is a mean of shares, in which pairs with hardly a gain weigh most. Take means of "
            "accuracy first.",
        },
        otherwise="Which arm has the same labels, and none of the two terms? How much of her gain is left over it?",
        praise="{} %. The rest is what the labels bring to anybody; and how much of this is left is the next question.",
        decimals=1,
    )


@numeric
def share_forgotten(found) -> Question:
    """Percent of the fall of `others`, "source alone" to "joint", that is there in `among_others`, too."""
    lost = found.loc["source alone"] - found.loc["joint"]
    return Question(
        100 * lost["among_others"] / lost["others"],
        {
            100 * lost["others"] / lost["among_others"]: "Upside down: which of the two falls is the whole?",
            100
            - 100 * lost["among_others"] / lost["others"]: "That is what is *not* lost any more among their own names.",
            lost["among_others"] / lost["others"]: "That is a share between 0 and 1; in percent, please.",
            lost["among_others"]: "Those are the points that are still lost. Of how many?",
            lost["others"]: "That is the whole fall, in points. How much of it is left among their own names?",
            100 * lost["among_others"] / found.loc["source alone", "among_others"]: "A share of the accuracy. Of which "
            "fall is it a part?",
        },
        otherwise="Two falls from source alone to joint: of the others, and of the others among their own names.",
        praise="{} %: about nothing. They are still known; other names are louder.",
        decimals=1,
        tolerance=0.1,
    )


@exercise
def class_means(soft_of) -> str:
    """A function of logits, labels and a temperature: the mean softened answer for each class."""
    from tlcourse.methods import confusion
    from tlcourse.methods.distillation import soften

    expect_function(soft_of, "logits, labels and a temperature")
    rng = np.random.default_rng(20151207)
    logits, y, T = 4 * rng.normal(size=(40, 5)), rng.permutation(np.arange(40) % 5), 3.0
    told = np.asarray(soft_of(logits.copy(), y.copy(), T), float)
    require(told.shape == (5, 5), f"Expected a row for each of 5 classes, shape (5, 5), got {told.shape}.")

    truth = confusion.soft_labels(logits, y, T)
    if np.allclose(told, truth, atol=1e-6):
        return "Soften each answer, then average: a row a class, and each row sums to 1."
    hard, late = confusion.soft_labels(logits, y, 1), np.stack([logits[y == c].mean(axis=0) for c in range(5)])
    named = logits.argmax(axis=1)
    wrong = {
        "Those are means at T = 1: nothing is softened yet.": hard,
        "You average the logits first and soften then: soften each answer, then average.": soften(late, T),
        "You average the answers at T = 1 and soften then: soften each answer, then average.": soften(np.log(hard), T),
        "Those are mean logits: `soften` makes answers of them.": late,
        "A row is to be a class, and here a column is.": truth.T,
        "Average by the label, not by what the teacher answers.": confusion.soft_labels(logits, named, T),
        "T divides the logits: here it multiplies them.": confusion.soft_labels(logits, y, 1 / T),
    }
    for words, answer in wrong.items():
        require(not np.allclose(told, answer, atol=1e-6), words)
    require(np.allclose(told.sum(axis=1), 1, atol=1e-6), "Each row should sum to 1: is it a mean of answers?")
    require(False, "Not yet: soften each row of logits, then take the mean over the rows of each label.")
    return ""


@exercise
def confusion_step(mended) -> str:
    """A step of `(net, everything, optimizer, x)` that confuses the domain classifier and leaves it as it is."""
    import keras
    import tensorflow as tf

    from tlcourse.methods import confusion

    expect_function(mended, "a network, weights, their optimizer and rows")
    net, x = confusion.Network(12, 3, seed=1), np.random.default_rng(1).normal(size=(60, 12)).astype("float32")
    x[30:] += 1
    everything = [*net.represent.weights, *net.tell_domain.weights]
    optimizer = keras.optimizers.Adam(3e-3)
    optimizer.build(everything)
    lesson = np.eye(2, dtype="float32")[np.repeat([0, 1], 30)]
    for _ in range(40):
        confusion.domain_step(net, x, lesson)
    for _ in range(3):  # as it was published: Adam remembers, and a gradient of zero still moves what has moved before
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(confusion.cross_entropy([0.5, 0.5], net.tell_domain(net.represent(x))))
        optimizer.apply(tape.gradient(loss, everything), everything)

    def confused():
        half = np.full((1, 2), 0.5, "float32")
        return float(np.mean(confusion.cross_entropy(half, net.tell_domain(net.represent(x)))))

    judge, start, first = (net.tell_domain.get_weights(), net.represent.get_weights(), confused())
    for _ in range(10):
        try:
            mended(net, everything, optimizer, x)
        except ValueError as error:  # Keras's, on a weight that the optimizer was not built with
            require(
                "Unknown variable" not in str(error), "This optimizer was not given those weights when it was made."
            )
            raise
    same = all(np.array_equal(a, b) for a, b in zip(judge, net.tell_domain.get_weights(), strict=True))
    require(
        same,
        "The domain classifier has moved in the representation's step: is it in the list that the optimizer is given? "
        "With a gradient of zero, too, Adam moves what has moved before.",
    )
    moved = any(not np.array_equal(a, b) for a, b in zip(start, net.represent.get_weights(), strict=True))
    require(moved, "Now nothing moves: the representation has to.")
    require(confused() < first, "The confusion loss has risen: is the step downhill, and towards one half each?")
    confusion.domain_step(net, x, lesson)
    again = any(not np.array_equal(a, b) for a, b in zip(judge, net.tell_domain.get_weights(), strict=True))
    require(again, "After your step the domain classifier learns nothing any more: leave it trainable.")
    return "It holds still while the representation moves; and in its own step it learns on."
