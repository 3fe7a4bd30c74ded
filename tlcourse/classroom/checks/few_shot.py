"""Checks of chapter 15: episodes or systems, a loss by prototypes, pairs, two questions of a start, named queries."""

import numpy as np

from tlcourse.classroom.checks.core import PERCENT, Question, exercise, expect_function, numeric, require


@numeric
def more_systems(right) -> Question:
    """How many times narrower forty systems make an interval than ten; `right` is a column for each system."""
    from scipy import stats

    def width(systems, episodes):
        return 2 * stats.t.ppf(0.975, systems - 1) * right[:episodes].mean().std() / np.sqrt(systems)

    study, wider, deeper = width(10, 25), width(40, 25), width(10, 100)
    return Question(
        study / wider,
        {
            study / deeper: "So much narrower do more episodes make it. Is there nothing better to do with the work?",
            wider / study: "Upside down: how many times as wide is the first study's interval?",
            wider: "That is the width itself, in points. How many times as wide is the first study's?",
            study - wider: "Those are points. How many *times* narrower?",
            width(10, 25) / width(40, 100): "That is forty systems and a hundred episodes: sixteen times the work.",
        },
        otherwise="The width of the first study, divided by the width of the better of the two plans.",
        praise="{} times. Four times the episodes hardly help: the letters of these ten stay as hard as they are.",
        decimals=1,
    )


@exercise
def prototypical_loss(loss) -> str:
    """A function of a batch `(classes, drawings, width)` and a number of examples: the mean cross-entropy."""
    import tensorflow as tf

    from tlcourse.methods import few_shot

    expect_function(loss, "a batch and a number of examples")
    z = tf.constant(np.random.default_rng(15).normal(size=(4, 5, 3)), tf.float32)
    for examples in (1, 3):
        said = np.asarray(loss(z, examples), float)
        require(said.size == 1, f"Expected one number, the mean over all queries, got shape {said.shape}.")
        truth = float(few_shot.prototypical(z, examples))
        if np.isclose(said, truth, rtol=1e-4):
            continue
        means, rest = tf.reduce_mean(z[:, :examples], axis=1), z[:, examples:]
        queries = tf.reshape(rest, (-1, 3))
        d2, all_means = few_shot.distances(queries, means), tf.reduce_mean(z, axis=1)
        each = 5 - examples
        every = few_shot.cross_entropy(-few_shot.distances(tf.reshape(z, (-1, 3)), means), 5)
        leaked = few_shot.cross_entropy(-few_shot.distances(queries, all_means), each)
        first = few_shot.cross_entropy(-few_shot.distances(queries, z[:, 0]), each)
        wrong = {
            "The nearer, the likelier: a distance has to count *against* a class.": few_shot.cross_entropy(d2, each),
            "Those are distances; Snell et al. square them.": few_shot.cross_entropy(-tf.sqrt(d2), each),
            "The examples answer, too, and each is part of its own prototype. Only queries are to be judged.": every,
            "A prototype is the mean of the *examples*. Yours holds the queries, whose labels nobody has.": leaked,
            "That is the first example alone. A prototype is the mean of all of them.": first,
            "That is a sum over queries. Take the mean.": truth * 4 * each,
        }
        for hint, number in wrong.items():
            require(not np.isclose(said, float(number), rtol=1e-4), hint)
        require(False, f"Not yet with {examples} of the 5 drawings as examples: is each query's own class its target?")
    return "A classifier whose last layer is made of the examples, anew in each batch."


@numeric
def paired_width(ours, theirs) -> Question:
    """How many times narrower the interval of a difference is if groups are compared in pairs."""
    paired, both = (ours - theirs).std(), np.sqrt(ours.var() + theirs.var())
    return Question(
        both / paired,
        {
            paired / both: "Upside down: how many times as wide is the one that does not pair?",
            ours.std() / paired: "That is one method's spread over groups. A difference of two has the spread of both.",
            theirs.std() / paired: "That is the other's spread alone. A difference of two has the spread of both.",
            (ours.std() + theirs.std()) / paired: "Variances add up, spreads do not.",
            (both / paired) ** 2: "Those are variances. A width goes with their root.",
            both: "That is the spread without pairs, in points. How many times the paired one?",
        },
        otherwise="Without pairs: the root of the sum of both variances. In pairs: the spread of the differences.",
        praise="{} times. A hard group is hard for both, and in a difference that cancels.",
        decimals=1,
    )


@exercise
def gains_and_is_best(answer, table) -> str:
    """The start that gains most by fine-tuning, and the one that is best afterwards."""
    pair = isinstance(answer, (tuple, list)) and len(answer) == 2
    require(pair, "Expected two names, (gains most, is best): two of the starts, with a comma between.")
    for name in answer:
        require(name in table.index, f"Expected two of {', '.join(table.index)}, got {name!r}.")
    gains, best = answer
    risen, after = table["fine-tuned"] - table["nearest mean"], table["fine-tuned"]
    require(
        gains == risen.idxmax() or gains != after.idxmax(),
        f"{gains} is best afterwards, but has not risen most. Compare each with the nearest mean of its own.",
    )
    require(gains == risen.idxmax(), f"{gains} has not risen most: fine-tuned minus nearest mean, in the same row.")
    require(best == after.idxmax(), f"{best} is not best afterwards: look down the column *fine-tuned*.")
    return "What a start gains and what it is worth are two questions; a low floor makes gains easy."


@exercise
def named_right(mended) -> str:
    """A function of answers `(queries, classes)` and labels: the percent of queries that are named right."""
    expect_function(mended, "answers and labels")
    rng = np.random.default_rng(20)
    y = np.array([3, 0, 0, 4, 1, 2, 2, 2])
    answers = rng.normal(size=(8, 5)) + 1.2 * np.eye(5)[y]
    square, order = rng.normal(size=(5, 5)) + 0.7 * np.eye(5), np.arange(5)
    square[:, 2] += 3  # one class that is given too freely
    for z, labels in ((square, order), (answers, y), (answers[::-1], y[::-1])):
        truth = 100 * np.mean(z.argmax(axis=1) == labels)
        try:
            said = np.asarray(mended(z.copy(), labels.copy()), float)
        except ValueError as error:
            fits = "broadcast" not in str(error) and "shape" not in str(error).lower()
            require(fits, "It fails as soon as there are more queries than classes: who is asked, and who answers?")
            raise
        require(said.size == 1, f"Expected one number, got shape {said.shape}.")
        told = float(said.ravel()[0])
        if np.isclose(told, truth):
            continue
        require(not np.isclose(told, truth / 100), PERCENT)
        by_class = 100 * np.sum(z.argmax(axis=0)[: len(labels)] == labels[: z.shape[1]]) / z.shape[1]
        require(not np.isclose(told, by_class), "That still finds the best *query for each class*.")
        require(
            not np.isclose(told, 100 * np.sum(z.argmax(axis=1) == labels) / z.shape[1]),
            "Divide by the number of queries: here that is not the number of classes.",
        )
        require(False, "Not yet: for each query the class with the largest answer, and then how many are right.")
    return "A row is a query: its largest answer names it, whatever the other queries are."
