"""Checks of chapter 04: a choice made on validation data, a head that fits its loss, and stale statistics."""

import numpy as np

from tlcourse.classroom.checks.core import PERCENT, NotYet, Question, exercise, expect, numeric, require


@numeric
def honest_choice(runs) -> Question:
    """The mean test accuracy, in percent, of what was chosen within each split without its test photographs."""
    tried = runs[runs.start == "probe"].sort_values("seed", kind="stable")
    chosen = tried.loc[tried.groupby("seed").validation_accuracy.idxmax()]
    settings = tried.groupby(["top", "rate", "decay"])[["validation_accuracy", "test_accuracy"]].mean()
    truth, flattered = chosen.test_accuracy.mean(), tried.groupby("seed").test_accuracy.max().mean()
    tuned = "That is the best there is on the test photographs. To pick it is to tune on them; which settings would "
    tuned += "you have chosen without them?"
    return Question(
        truth,
        {
            truth / 100: PERCENT,
            chosen.validation_accuracy.mean(): "That is the validation accuracy of what was chosen. It was chosen "
            "*because* it is high, so it flatters.",
            flattered: tuned,
            settings.test_accuracy.max(): tuned,
            tried.loc[tried.validation_accuracy.idxmax(), "test_accuracy"]: "That is the one run with the best "
            "validation accuracy, with the luck of its split.",
            settings.loc[settings.validation_accuracy.idxmax(), "test_accuracy"]: "You chose by the mean over all "
            "splits. A photograph that validates in one split is tested in another, so that mean has peeked.",
        },
        otherwise="Which runs start from the probe, what chooses among them in a split, and what is reported of them?",
        praise=f"{{}} %. With the test photographs in view one could have reported {flattered:.1f}.",
        decimals=1,
    )


@exercise
def head_and_loss(mended) -> str:
    """A dense layer for eight classes and a loss for integer labels that take the softmax once between them."""
    import keras

    expect(mended, (tuple, list), "a tuple (head, loss)")
    require(len(mended) == 2, f"Expected a tuple (head, loss), got {len(mended)} things: give two.")
    head, loss = mended
    expect(head, keras.layers.Dense, "a keras.layers.Dense first")
    require(head.units == 8, f"Expected eight units, one a class, got {head.units}.")
    require(not isinstance(loss, type), "Expected a loss, got its class: make an object of it, with its arguments.")
    require(callable(loss), f"Expected a loss that can be called, got {type(loss).__name__}.")
    z = 2 * np.random.default_rng(0).normal(size=(8, 8)).astype("float32")
    out = np.asarray(head.activation(keras.ops.convert_to_tensor(z)))  # numbers alone, so that Keras repairs nothing
    try:
        got = _of_each(loss, out)
    except Exception as error:
        raise NotYet("The loss does not take integer labels: a Sparse… one does.") from error
    truth, twice = _cross_entropy(z), _cross_entropy(np.exp(z) / np.exp(z).sum(axis=1, keepdims=True))
    require(
        np.abs(got - twice).max() > 1e-3,
        "The head takes a softmax and the loss, told to expect logits, another. Keras would notice and go back to the "
        "logits, with a warning; say what you mean instead.",
    )
    name = getattr(head.activation, "__name__", "")
    require(
        name != "sigmoid",
        "A sigmoid squeezes each class by itself, so eight of them are neither logits nor one distribution over "
        "classes that exclude each other.",
    )
    off = np.abs(got - truth) > 1e-3 * (1 + truth)
    require(
        not off.all(),
        "Now nobody takes the softmax: the loss expects probabilities and is fed raw numbers, some below zero."
        if name in ("linear", "")
        else "This pair does not compute the cross-entropy of one softmax.",
    )
    require(not off.any(), f"The pair is right, but not for the classes {np.flatnonzero(off).tolist()}: all count.")
    return "One softmax, no more, no less. Logits and from_logits=True is the numerically safer of the two mends."


def _of_each(loss, out) -> np.ndarray:
    """The loss of eight examples, the i-th of class i, one by one."""
    return np.array([float(np.mean(loss(np.array([i]), out[i : i + 1]))) for i in range(8)])


def _cross_entropy(z) -> np.ndarray:
    """Of one softmax of the logits, of eight examples, the i-th of class i."""
    return np.log(np.exp(z).sum(axis=1)) - np.diag(z)


@numeric
def stale_statistics() -> Question:
    """What is left of the starting value of a moving average after 12 epochs, in percent."""
    truth = 100 * 0.99 ** (12 * 96 / 16)
    return Question(
        truth,
        {
            100 * 0.99**12: "That is what is left after 12 steps. An epoch has several: one for each batch.",
            100 * 0.99 ** (96 / 16): "That is what one epoch leaves; there were twelve.",
            100 * 0.99 ** (12 * 96): "Statistics move once a batch, not once a picture.",
            truth / 100: PERCENT,
            100 - truth: "That is the share that was replaced; what is left?",
            72: "One per cent a step adds up to that only if nothing compounds: each step takes its share of what is "
            "*left*.",
            28: "Each step keeps its share of what is *left*: multiply, do not subtract.",
        },
        otherwise="How many steps are there, and what does each of them leave?",
        praise="{} %: half of what the layers normalise with was never measured.",
    )
