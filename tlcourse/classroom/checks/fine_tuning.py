"""Checks of chapter 04: a choice made on validation data, a head that fits its loss, and stale statistics."""

import numpy as np

from tlcourse.classroom.checks.core import NotYet, a_number, exercise, require


@exercise
def honest_choice(answer, runs) -> str:
    """The mean test accuracy, in percent, of what the *validation* accuracy chooses within each split."""
    answer = a_number(answer, low=0, high=100)
    tried, near = runs[runs.start == "probe"].sort_values("seed", kind="stable"), 0.02
    chosen = tried.loc[tried.groupby("seed").validation_accuracy.idxmax()]
    truth = chosen.test_accuracy.mean()
    if abs(answer - truth) < near:
        return f"{truth:.1f} %. With the test photographs in view one could have reported {_flattered(tried):.1f}."
    require(abs(answer - truth / 100) > 0.0005, "That is a share between 0 and 1; in percent, please.")
    require(
        abs(answer - chosen.validation_accuracy.mean()) > near,
        "That is the validation accuracy of what was chosen. It was chosen *because* it is high, so it flatters: "
        "report the same runs on the test photographs.",
    )
    settings = tried.groupby(["top", "rate", "decay"])[["validation_accuracy", "test_accuracy"]].mean()
    require(
        min(abs(answer - settings.test_accuracy.max()), abs(answer - _flattered(tried))) > near,
        "That is the best there is on the test photographs. Whoever picks it has tuned on them; which settings would "
        "you have chosen without them?",
    )
    require(
        abs(answer - tried.loc[tried.validation_accuracy.idxmax(), "test_accuracy"]) > near,
        "That is the one run with the best validation accuracy, with the luck of its split: choose in each split.",
    )
    require(
        abs(answer - settings.loc[settings.validation_accuracy.idxmax(), "test_accuracy"]) > near,
        "You chose by the mean over all splits. A photograph that validates in one split is tested in another, so that "
        "mean has peeked; choose within each split.",
    )
    raise NotYet(
        f"Not {answer:.1f}: of the runs that start from the probe take in each split the one with the best validation "
        "accuracy, and the mean of their test accuracies.",
    )


def _flattered(tried) -> float:
    """The mean of each split's best test accuracy."""
    return tried.groupby("seed").test_accuracy.max().mean()


@exercise
def head_and_loss(mended) -> str:
    """A dense layer for eight classes and a loss for integer labels that take the softmax once between them."""
    import keras

    require(isinstance(mended, tuple) and len(mended) == 2, "Expected a tuple (head, loss).")
    head, loss = mended
    require(isinstance(head, keras.layers.Dense), f"Expected a keras.layers.Dense first, got {type(head).__name__}.")
    require(head.units == 8, f"Expected eight units, one a class, got {head.units}.")
    require(callable(loss), f"Expected a loss that can be called, got {type(loss).__name__}.")
    z = np.array([[2.0, 1.0, 0.0, -1.0, -2.0, 0.5, -0.5, 3.0]], "float32")
    labels = np.array([1])
    out = np.asarray(head.activation(keras.ops.convert_to_tensor(z)))  # numbers alone, so that Keras repairs nothing
    try:
        got = float(np.mean(loss(labels, out)))
    except Exception as error:
        raise NotYet("The loss does not take integer labels: a Sparse… one does.") from error
    truth = float(np.log(np.exp(z).sum()) - z[0, 1])  # cross-entropy of one softmax
    soft = np.exp(z) / np.exp(z).sum()
    twice = float(np.log(np.exp(soft).sum()) - soft[0, 1])
    require(
        abs(got - twice) > 1e-3,
        "The head takes a softmax and the loss, told to expect logits, another. Keras would notice and go back to the "
        "logits, with a warning; say what you mean instead, and drop one of the two.",
    )
    name = getattr(head.activation, "__name__", "")
    require(
        name != "sigmoid",
        "A sigmoid squeezes each class by itself, so eight of them are neither logits nor one distribution over "
        "classes that exclude each other.",
    )
    require(
        abs(got - truth) < 1e-3,
        "Now nobody takes the softmax: the loss expects probabilities and is fed raw numbers, some below zero."
        if name in ("linear", "")
        else f"This pair does not compute the cross-entropy of one softmax: {got:.2f} instead of {truth:.2f} on a test "
        "case.",
    )
    return "One softmax, no more, no less. Logits and from_logits=True is the numerically safer of the two mends."


@exercise
def stale_statistics(answer) -> str:
    """Momentum to the power of the number of steps, in percent."""
    answer = a_number(answer, low=0, high=100)
    truth = 100 * 0.99 ** (12 * 96 / 16)
    for steps, hint in (
        (12, "That is what is left after 12 steps. An epoch has several: one for each batch."),
        (96 / 16, "That is what one epoch leaves; there were twelve."),
        (12 * 96, "Statistics move once a batch, not once a picture."),
    ):
        require(abs(answer - 100 * 0.99**steps) > 0.05, hint)
    require(abs(answer - truth / 100) > 0.0005, "That is a share between 0 and 1; in percent, please.")
    require(abs(answer - (100 - truth)) > 0.05, "That is the share that was replaced; what is left?")
    require(abs(answer - 72) > 0.05, "One per cent a step adds up to that only if nothing compounds: each step keeps "
            "0.99 of what is *left*.")  # fmt: skip
    require(abs(answer - 28) > 0.05, "Each step keeps 0.99 of what is *left*: multiply, do not subtract.")
    require(abs(answer - truth) < 0.05, f"Not {answer:.1f}: count the steps, and multiply by 0.99 for each.")
    return f"{truth:.0f} %: half of what the layers normalise with was never measured."
