"""Checks of chapter 04: first steps, an honest choice, a head that fits its loss, advice by evidence, what is lost."""

import numpy as np

from tlcourse.classroom.checks.core import PERCENT, NotYet, Question, exercise, expect, judge, numeric, require


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


@exercise
def first_step(answer, times) -> str:
    """How many times as long the first step of block 7 is under a random head, with SGD and with Adam, as a dict."""
    expect(answer, dict, 'a dict such as {"SGD": 3, "Adam": 2}')
    missing = [name for name in ("SGD", "Adam") if name not in answer]
    require(not missing, f"Still missing: {', '.join(missing)}.")
    trained, unseen = times["training photographs"], times["unseen photographs"]
    ratio = float(trained["block7"])
    plain = Question(
        ratio,
        {
            1.0: "SGD: a step is rate times gradient, and the gradients differ by the factor in the table.",
            1 / ratio: "SGD: upside down. The longer gradient makes the longer step.",
            float(unseen["block7"]): "SGD: those are the photographs that neither head was fitted to.",
            float(trained.median()): "SGD: that is the median over the blocks. Only block 7 is asked.",
        },
        otherwise="SGD: which row and which column of the table say how much longer the gradient is?",
        praise="{}",
    )
    scaled = Question(
        1.0,
        {
            ratio: "Adam: it divides the gradient by its own size. What is left of its length?",
            1
            / ratio: "Adam: it divides by the size of each gradient, so that it is not the longer one that is slower.",
            ratio**0.5: "Adam: the root is of a mean of *squares*, so it is as large as the gradient itself.",
            0.0: "Adam: what is the first gradient divided by its own size? Not nothing.",
        },
        otherwise="Adam: divide a first gradient by the root of its own square. How long is it then?",
        praise="{}",
        tolerance=0.05,
    )
    judge(answer["SGD"], plain)
    judge(answer["Adam"], scaled)
    return "The gradient's length matters to SGD alone. What remains for Adam is where it points."


# What became of each corner's advice in chapter 04's made-up table, and what the other verdicts overlook.
_CORNERS = {
    "small, similar": {
        "contradicted": "",
        "held": "the interval is of the whole network *minus* the head. On whose side does it lie?",
        "cannot tell": "does the interval hold zero?",
        "no matter": "part of the interval lies beyond three points.",
    },
    "small, different": {
        "cannot tell": "",
        "held": "the mean is on the side of the advice. May the truth be on the other?",
        "contradicted": "the mean is on the side of the advice.",
        "no matter": "how large may the effect be, by the ends of the interval?",
    },
    "large, different": {
        "held": "",
        "contradicted": "the interval is of scratch minus the whole network: it lies on the side of the advice.",
        "cannot tell": "does the interval hold zero?",
        "no matter": "the whole interval lies beyond three points.",
    },
    "large, similar": {
        "no matter": "",
        "held": "the effect is certainly smaller than what was agreed to matter.",
        "contradicted": "no part of the interval lies below zero.",
        "cannot tell": "it holds zero, and still it tells something: how large can the effect be at most?",
    },
}


@exercise
def corners(answer) -> str:
    """What four intervals say about the advice of the four corners, as a dict of verdicts."""
    expect(answer, dict, 'a dict such as {"small, similar": "held", …}')
    missing = [name for name in _CORNERS if name not in answer]
    require(not missing, f"Still missing: {'; '.join(missing)}.")
    for corner, hints in _CORNERS.items():
        said = " ".join(str(answer[corner]).lower().split())
        require(said in hints, f"{corner}: expected one of {', '.join(sorted(hints))}, got {answer[corner]!r}.")
        require(not hints[said], f"{corner}: {hints[said]}")
    return "Four shapes of evidence. An interval that holds zero can still say much, if it is narrow."


@numeric
def points_lost(rows) -> Question:
    """What not even a new probe finds again after 120 steps, in points; `rows` has `judged`, `step` and `accuracy`."""
    mean = rows.groupby(["judged", "step"]).accuracy.mean()
    before, found, left = mean["new probe", "0"], mean["new probe", "120"], mean["old head", "120"]
    return Question(
        before - found,
        {
            before - left: "That is all that the old head no longer names. Which part of it does a new probe find?",
            found - left: "That is what a new probe gets back: mislaid, not lost.",
            found - before: "Right but for the sign: what is lost, positive.",
            100 * (before - found) / before: "That is a share of what there was; in points, please.",
            before - mean["new probe", "32"]: "That is after 32 steps.",
            found: "That is what the new probe has right afterwards. How much was it before?",
        },
        otherwise="What the things gave before a step was made, and what a new probe makes of them at the end.",
        praise="{} points in the mean. Whether anything is lost for good, ask the interval.",
        decimals=1,
    )
