"""Checks of chapter 15: all choices at once, a loss by prototypes, a baseline's share, and whom the answers name."""

import numpy as np

from tlcourse.classroom.checks.core import PERCENT, Question, exercise, expect_function, numeric, require


@exercise
def all_choices(exact) -> str:
    """A function of ranks (of 19 other letters, how many lie nearer) and ways: percent right over all choices."""
    from tlcourse.methods import few_shot

    expect_function(exact, "ranks and a number of ways")
    nearer = np.array([0, 0, 1, 3, 7, 15, 16, 19])
    for ways in (5, 20, 2):
        said = np.asarray(exact(nearer.copy(), ways), float)
        require(said.size == 1, f"Expected one number, the mean over all queries in percent, got {said.size}.")
        told, truth = float(said.ravel()[0]), few_shot.accuracy(nearer, ways, 20)
        if np.isclose(told, truth, atol=1e-6):
            continue
        from scipy.special import comb

        left = 19 - nearer
        wrong = {
            PERCENT: truth / 100,
            "That draws each of the others anew, so that one letter can come twice. Without putting back, please.": 100
            * np.mean((left / 19) ** (ways - 1)),
            "Of the ways one is the right letter itself: how many others are chosen?": 100
            * np.mean(comb(left, ways) / comb(19, ways)),
            "That is how often a wrong letter is nearer. How often is none?": 100 - truth,
            "Count the other letters only, 19 of them: the right one is there in any case.": 100
            * np.mean(comb(20 - nearer, ways - 1) / comb(20, ways - 1)),
        }
        for hint, number in wrong.items():
            require(not np.isclose(told, number, atol=1e-6), hint)
        require(False, f"Not yet for {ways} ways. In how many choices of the others is none of those that lie nearer?")
    return "Every choice of letters at once: no episode is left to draw, and no chance in which letters came."


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
def baselines_share(means) -> Question:
    """Percent of the prototypical network's gain over pixels that a plain classifier's features have, too."""
    gain, plain = means["prototypical"] - means["pixels"], means["classifier"] - means["pixels"]
    return Question(
        100 * plain / gain,
        {
            plain / gain: PERCENT,
            100 - 100 * plain / gain: "That is what the plain classifier does *not* have of it.",
            gain: "Those are the points of the prototypical network over pixels. What part of them has the classifier?",
            plain: "Those are the classifier's points over pixels. What part are they of the prototypical network's?",
            100 * gain / plain: "Upside down: of whose gain is it a part?",
            100 * means["classifier"] / means["prototypical"]: "A share of the accuracy. The claim is about a gain.",
            100 * (means["off the shelf"] - means["pixels"]) / gain: "Those are the off-the-shelf features.",
            100 * (means["classifier"] - means["off the shelf"]) / (means["prototypical"] - means["off the shelf"]): (
                "That counts from the off-the-shelf features. She counts from pixels."
            ),
        },
        otherwise="Two gains over pixels: the classifier's as part of the prototypical network's.",
        praise="{} %. So much comes of training on letters of other writing systems at all, in episodes or not.",
        decimals=0,
    )


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
