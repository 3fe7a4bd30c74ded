"""Checks of chapter 14: a mean over what is known, weights in their places, and controls that differ in one thing."""

import numpy as np

from tlcourse.classroom.checks.core import (
    PERCENT,
    Question,
    a_number,
    exercise,
    expect,
    expect_function,
    numeric,
    require,
)


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


@exercise
def which_control(answer) -> str:
    """A dict from doubt to the row of the table in which nothing but that is otherwise than in row A."""
    truth = {"steps": "B", "weight": "C", "room": "D", "labels": "E"}
    expect(answer, dict, 'a dict such as {"steps": "F", …}')
    missing = [doubt for doubt in truth if doubt not in answer]
    require(not missing, f"Which row answers the doubt about {', '.join(missing)}? It is not among your keys.")
    for doubt, row in truth.items():
        told = str(answer[doubt]).strip().upper()
        require(told in "ABCDEF" and len(told) == 1, f"Expected one of the rows A to F for {doubt}, got {told!r}.")
        require(told != "A", f"Row A is the harm itself. For {doubt} something has to be otherwise than there.")
        require(
            told != "F" or doubt != "labels",
            "In row F the labels are as true as in A: other pictures are asked. Where do they say something else?",
        )
        require(
            told == row, f"In row {told} something else is otherwise than in row A. Look down the column of {doubt}."
        )
    return "Each doubt has a row of its own, and each row is A with one thing changed. That is what makes it a control."


@exercise
def at_equal_volume(one, other, points, right) -> str:
    """Two ways to spend, as they are called in `right` (percent by way), that differ in class variety alone; points."""
    for way in (one, other):
        require(isinstance(way, str) and way in right.index, f"Expected names such as '40x20x10', got {way!r}.")
    wrong = {
        frozenset({"40x20x10", "40x4x10"}): "Those two differ in volume as well: five times the drawings.",
        frozenset(
            {"40x20x2", "8x20x10"}
        ): "Equal volume, but the letters come from other systems, too. Keep the systems.",
        frozenset({"40x4x10", "8x20x10"}): "As many letters in both. Here it is the systems that vary.",
        frozenset({"40x20x10", "40x20x2"}): "The same letters in both. That is volume.",
        frozenset({"40x20x2", "40x20x2, one face"}): "The same letters in both. There it is the faces that vary.",
    }
    pair = frozenset({one, other})
    require(pair not in wrong, wrong.get(pair, ""))
    require(pair == {"40x20x2", "40x4x10"}, "As many systems and as many drawings in all, but more letters in one.")
    require(
        one == "40x20x2",
        "The right two. First the one with more letters, please, so that the sign says what they bring.",
    )
    truth, told = float(right[one] - right[other]), a_number(points)
    require(abs(told + truth) > 0.051 or abs(truth) < 0.06, "Upside down: more letters minus fewer.")
    require(abs(told - truth) <= 0.051, "Take the right percentages of the two, and subtract: first minus second.")
    return "Same systems, same volume, five times the letters: whatever is left is class variety."
