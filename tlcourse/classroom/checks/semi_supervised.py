"""Checks of chapter 13: the confusion loss, an honest gain, soft labels, and a step that holds still."""

import numpy as np

from tlcourse.classroom.checks.core import Question, exercise, expect_function, numeric, require


@numeric
def confusion_of_sure() -> Question:
    """Cross-entropy of the uniform answer with (0.9, 0.1)."""
    logs = -np.log([0.9, 0.1])
    return Question(
        logs.mean(),
        {
            -logs.mean(): "Right but for the sign: a cross-entropy is positive.",
            logs.sum(): "Each of the two domains weighs a half.",
            logs[0]: "That is the domain classifier's own loss. The uniform answer asks both domains.",
            logs[1]: "That is its loss if it were wrong. The uniform answer asks both domains.",
            (np.array([0.9, 0.1]) * logs).sum(): "You have weighed by what is answered. Weigh by what should be.",
            logs.mean() - np.log(2): "That is how far it is from the best. The loss itself is larger by log 2.",
            np.log(2): "That is what it would be if the domain classifier had no idea.",
            (logs / np.log(2)).mean(): "In bits. The natural logarithm, please.",
            (logs / np.log(10)).mean(): "To base 10. The natural logarithm, please.",
        },
        otherwise="One half times minus log of the first answer, plus the same with the second.",
        praise="{}; at its best, with no idea, it would be log 2 = 0.69.",
        decimals=2,
    )


@numeric
def honest_gain(means) -> Question:
    """Mean gain of "both" over "joint"; rows are pairs of collections, columns methods."""
    by = means.mean()
    truth = by["both"] - by["joint"]
    return Question(
        truth,
        {
            -truth: "Right but for the sign: a gain is what the method has more than the baseline.",
            by["both"] - by["source alone"]: "From the source alone. But most of that is what the labels bring, and "
            "anybody may use them.",
            by["both"]
            - by["target alone"]: "From the target alone. But whoever has both collections may train on both.",
            by["joint"] - by["source alone"]: "That is what the labels bring without her method.",
            by["confusion"] - by["joint"]: "That is confusion alone. She has both terms.",
            by["soft"] - by["joint"]: "That is soft labels alone. She has both terms.",
            by["both"]: "That is an accuracy. A gain is counted from a baseline.",
            (means["both"] - means["joint"]).max(): "That is the best pair, picked by its test.",
        },
        otherwise="Which arm has the same labels, and none of the two terms?",
        praise="{} points, on the same labels. All else is what the labels bring to anybody.",
        decimals=1,
    )


@exercise
def class_means(soft_of) -> str:
    """A function of probabilities at T = 1, labels and a temperature: the mean softened answer for each class."""
    expect_function(soft_of, "probabilities, labels and a temperature")
    rng = np.random.default_rng(20151207)
    logits, y, T = 4 * rng.normal(size=(40, 5)), rng.permutation(np.arange(40) % 5), 3.0
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    softened = np.exp(logits / T) / np.exp(logits / T).sum(axis=1, keepdims=True)
    told = np.asarray(soft_of(p.copy(), y.copy(), T), float)
    require(told.shape == (5, 5), f"Expected a row for each of 5 classes, shape (5, 5), got {told.shape}.")
    truth = np.stack([softened[y == c].mean(axis=0) for c in range(5)])
    if np.allclose(told, truth, atol=1e-6):
        return "Soften each answer, then average: a row a class, and each row sums to 1."
    hard = np.stack([p[y == c].mean(axis=0) for c in range(5)])
    late = hard ** (1 / T) / (hard ** (1 / T)).sum(axis=1, keepdims=True)
    twice = np.exp(p / T) / np.exp(p / T).sum(axis=1, keepdims=True)
    by_answer = np.stack([softened[p.argmax(axis=1) == c].mean(axis=0) for c in range(5)])
    require(not np.allclose(told, hard, atol=1e-6), "Those are means at T = 1: nothing is softened yet.")
    require(
        not np.allclose(told, late, atol=1e-6), "You average first and soften then: soften each answer, then average."
    )
    require(not np.allclose(told, truth.T, atol=1e-6), "A row is to be a class, and here a column is.")
    require(not np.allclose(told, by_answer, atol=1e-6), "Average by the label, not by what the teacher answers.")
    twice = np.stack([twice[y == c].mean(axis=0) for c in range(5)])
    require(
        not np.allclose(told, twice, atol=1e-6), "You divide probabilities by T as if they were logits: take powers."
    )
    require(np.allclose(told.sum(axis=1), 1, atol=1e-6), "Each row should sum to 1: divide by the sum of the powers.")
    require(False, "Not yet: the power 1/T of each probability, divided by their sum in each row, averaged by label.")
    return ""


@exercise
def confusion_step(mended) -> str:
    """A step of `(net, everything, optimizer, x)` that confuses the domain classifier and leaves it as it is."""
    import keras

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

    def confused():
        half = np.full((1, 2), 0.5, "float32")
        return float(np.mean(confusion.cross_entropy(half, net.tell_domain(net.represent(x)))))

    judge, start, first = (net.tell_domain.get_weights(), net.represent.get_weights(), confused())
    for _ in range(10):
        mended(net, everything, optimizer, x)
    same = all(np.array_equal(a, b) for a, b in zip(judge, net.tell_domain.get_weights(), strict=True))
    require(
        same,
        "The domain classifier has moved in the representation's step: is it in the list that the optimizer is given?",
    )
    moved = any(not np.array_equal(a, b) for a, b in zip(start, net.represent.get_weights(), strict=True))
    require(moved, "Now nothing moves: the representation has to.")
    require(confused() < first, "The confusion loss has risen: is the step downhill, and towards one half each?")
    confusion.domain_step(net, x, lesson)
    again = any(not np.array_equal(a, b) for a, b in zip(judge, net.tell_domain.get_weights(), strict=True))
    require(again, "After your step the domain classifier learns nothing any more: leave it trainable.")
    return "It holds still while the representation moves; and in its own step it learns on."
