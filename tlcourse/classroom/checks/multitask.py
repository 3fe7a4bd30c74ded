"""Checks of chapter 14: a mean over what is known, weights in their places, and two numbers read with care."""

import numpy as np

from tlcourse.classroom.checks.core import PERCENT, Question, exercise, expect_function, numeric, require


@exercise
def known_mean(mean_known) -> str:
    """A function of errors and labels: the mean over the pictures that have a label, 0 if none has."""
    import tensorflow as tf

    expect_function(mean_known, "errors and labels")
    errors, labels = tf.constant([1.0, 2.0, 4.0, 8.0, 16.0]), tf.constant([0, -1, 2, -1, 0])
    told = float(mean_known(errors, labels))
    wrong = {
        21 / 5: "You divide by all pictures. Then a task counts the less, the fewer of them have its label.",
        31 / 5: "That is the mean over all pictures, those without a label among them.",
        4.0: "Class 0 is a label, too: it is -1 that says that there is none.",
        21.0: "That is the sum: divide by how many have a label.",
        5.0: "Those are the pictures *without* a label.",
    }
    for value, words in wrong.items():
        require(abs(told - value) > 1e-4, words)
    require(abs(told - 7) < 1e-4, f"Of errors 1, 2, 4, 8, 16 with labels 0, -1, 2, -1, 0 the mean is 7, got {told:g}.")
    none = float(mean_known(errors, tf.fill(5, -1)))
    require(
        none == 0,
        f"A step in which no picture has this label gives {none:g}: it should give 0, or one such step spoils every "
        "weight of the trunk.",
    )
    with tf.GradientTape() as tape:
        tape.watch(errors)
        loss = mean_known(errors, labels)
    slopes = tape.gradient(loss, errors)
    require(slopes is not None, "No gradient comes through: stay with TensorFlow's functions.")
    require(np.allclose(slopes, [1 / 3, 0, 1 / 3, 0, 1 / 3]), "The gradient should come from the labelled ones alone.")
    return "A picture without a label is as if it were not there, and a step without any is no step for this task."


@exercise
def weights_in_place(total_loss) -> str:
    """A function of two dicts, losses and weights by task: each loss times the weight of its own name, added up."""
    import tensorflow as tf

    expect_function(total_loss, "losses and weights, two dicts by task")
    losses = {"style": tf.constant(1.0), "character": tf.constant(10.0), "kind": tf.constant(100.0)}
    weights = {"kind": 0.5, "style": 3.0, "character": 2.0}
    truth, told = 73.0, float(total_loss(losses, weights))
    wrong = {
        2 * 1 + 0.5 * 10 + 3 * 100: "The weights come in the order of the alphabet, and the losses do not.",
        0.5 * 1 + 3 * 10 + 2 * 100: "The two dicts are not written in the same order: pair them by name.",
        111: "The weights are gone: each loss should count as its weight says.",
        truth / 5.5: "That is a weighted mean. The sum is wanted.",
        truth / 3: "That is a mean over tasks. The sum is wanted.",
    }
    for value, words in wrong.items():
        require(abs(told - value) > 1e-3, words)
    require(
        abs(told - truth) < 1e-3, f"Of losses 1, 10, 100 with weights 3, 2, 0.5 the sum is {truth:g}, got {told:g}."
    )
    fewer = {task: losses[task] for task in ("kind", "style")}
    told = float(total_loss(fewer, {"style": 3.0, "kind": 0.5}))
    require(
        abs(told - 53) < 1e-3, f"With two tasks, 1 and 100, weighted by 3 and 0.5, it should give 53, got {told:g}."
    )
    return "Each loss has the weight of its own name, in whatever order either is written."


@numeric
def overstated(means) -> Question:
    """Percent of "key, more" minus "key, more, shuffled, even" that shuffled labels did by falling below "alone"."""
    alone, true, shuffled = (means[arm] for arm in ("alone", "key, more", "key, more, shuffled, even"))
    reported, fallen = true - shuffled, alone - shuffled
    return Question(
        100 * fallen / reported,
        {
            100 * (true - alone) / reported: "That is the part that is gained over the single task. And the rest?",
            fallen / reported: PERCENT,
            fallen: "Those are points. Which part are they of what she reports?",
            reported: "Those are the points that she reports. How many of them are below *alone*?",
            100 * reported / fallen: "Upside down: what she reports is the whole.",
            100 * fallen / (true - alone): "A share of the gain over *alone*. She reports another difference.",
            100 * fallen / alone: "A share of an accuracy. She reports a difference.",
        },
        otherwise="Three numbers on a line: shuffled, alone, true. She measures the whole; which piece is damage?",
        praise="{} % of it is damage that the shuffled labels did. A control can do harm of its own.",
        decimals=1,
    )


@numeric
def errors_avoided(means) -> Question:
    """Percent of the errors of "alone" that are gone with "own", at three drawings; rows are arms, columns drawings."""
    before, after = 100 - means.loc["alone", 3], 100 - means.loc["own", 3]
    return Question(
        100 * (before - after) / before,
        {
            before - after: "Those are points. Huang et al. ask which part of the *errors* is gone.",
            (before - after) / before: PERCENT,
            100 * after / before: "That is the part of the errors that is left.",
            100 * (before - after) / after: "A share of the errors that are left. Of how many before?",
            100 * (before - after) / (100 - before): "A share of what was right. Of the errors, please.",
            **{
                100 * (means.loc["own", k] - means.loc["alone", k]) / (100 - means.loc["alone", k]): "That is with "
                f"{k} drawings a letter. With three?"
                for k in (1, 10)
            },
        },
        otherwise="Errors are what is missing to 100 %. How many has *alone*, and how many of those has *own* no more?",
        praise="{} % of the errors are gone; Huang et al. report 6 to 28 % for speech.",
        decimals=1,
    )
