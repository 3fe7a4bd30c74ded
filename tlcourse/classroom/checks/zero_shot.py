"""Checks of chapter 16: odds from attributes, what the class explains, hubs, a fair calibration, a picture alone."""

import numpy as np

from tlcourse.classroom.checks.core import PERCENT, Question, exercise, expect, expect_function, numeric, require


@numeric
def zebra_or_tiger(read) -> Question:
    """How many times as probable a zebra is as a tiger; rows are attributes, columns `picture`, `usual` and the two."""
    for_it, against = read["picture"] / read["usual"], (1 - read["picture"]) / (1 - read["usual"])
    says = {animal: np.where(read[animal] == 1, for_it, against) for animal in ("zebra", "tiger")}
    plain = {animal: np.where(read[animal] == 1, read["picture"], 1 - read["picture"]) for animal in says}
    has = {animal: for_it[read[animal] == 1].prod() for animal in says}
    zebra, tiger = (says[animal].prod() for animal in ("zebra", "tiger"))
    return Question(
        zebra / tiger,
        {
            tiger / zebra: "Upside down: that is the tiger against the zebra.",
            plain["zebra"].prod() / plain["tiger"].prod(): "You leave out what is usual. A rare attribute tells more.",
            has["zebra"]
            / has["tiger"]: "You count only what an animal has. What it has *not* tells something as well.",
            zebra: "That is the zebra's evidence. And the tiger's?",
            tiger: "That is the tiger's evidence. And the zebra's?",
            zebra - tiger: "Evidence is multiplied, so compare by dividing.",
        },
        otherwise="For each attribute what the picture says over what is usual, for has or has not. Multiply; divide.",
        praise="{}: and stripes cancelled out, for both have them.",
        decimals=2,
    )


@numeric
def share_of_class(means) -> Question:
    """Percent of the points over luck across classes that names shuffled inside each class have, too."""
    over = means - 50
    whole, part = over.loc["names", "across"], over.loc["names, shuffled in class", "across"]
    inside = over.loc["names, shuffled in class", "inside"] / over.loc["names", "inside"]
    return Question(
        100 * part / whole,
        {
            100 - 100 * part / whole: "That is what the class does *not* explain.",
            part / whole: PERCENT,
            100 * (part + 50) / (whole + 50): "Those are shares of all that is right, and luck has half of that.",
            100 * over.loc["class", "across"] / whole: "That is the map to eight classes, which learns something else. "
            "Take the one whose names were shuffled inside each class.",
            100
            * over.loc["names, shuffled", "across"]
            / whole: "Shuffled among everything, not even the class is left.",
            100 * inside: "That is *inside* a class.",
            100 * whole / part: "Upside down: which of the two is the whole?",
            100 * (whole - part) / (whole + 50): "That is what the class does *not* explain, and luck is in it.",
            whole - part: "Those are points. Which part are they of what the names have over luck?",
        },
        otherwise="Two rows of the column *across*, both counted from luck; the one as percent of the other.",
        praise="{} %: in the mean, nearly all that the map knows across classes is the class.",
        decimals=1,
    )


@numeric
def fair_calibration(rehearsed) -> Question:
    """The index of `rehearsed` at which the harmonic mean of its columns `seen` and `unseen` is highest."""
    seen, unseen = rehearsed["seen"], rehearsed["unseen"]
    both = (2 * seen * unseen / (seen + unseen)).fillna(0)
    return Question(
        float(both.idxmax()),
        {
            float((seen + unseen).idxmax()): "That is best for the sum. With one of the two at nothing it may still be "
            "high: take the harmonic mean.",
            float(seen.idxmax()): "That is best for the seen alone.",
            float(unseen.idxmax()): "That is best for the unseen alone: then nobody is given a seen name any more.",
            float(both.max()): "That is the harmonic mean itself. At which number taken off is it reached?",
        },
        otherwise="Make the harmonic mean of the two columns, and look up where it is highest.",
        praise="{}, and no label of the unseen was asked.",
        decimals=2,
    )


@exercise
def occurrences(counted) -> str:
    """A function of scores (pictures, names) and k: how often each name is among a picture's k best."""
    from tlcourse.methods import zero_shot

    expect_function(counted, "scores and a number k")
    rng = np.random.default_rng(20101231)
    for shape, k in (((30, 12), 1), ((30, 12), 4), ((7, 40), 3)):
        scores = rng.normal(size=shape) + np.linspace(0, 2, shape[1])
        told = np.asarray(counted(scores.copy(), k))
        truth, worst, first = (zero_shot.occurrences(*asked) for asked in ((scores, k), (-scores, k), (scores, 1)))
        require(
            told.shape != (shape[0],) or shape[0] == shape[1],
            "You count for each picture. Count for each *name*: in how many pictures' lists does it stand?",
        )
        require(
            told.shape == truth.shape,
            f"Expected a number for each of {shape[1]} names, got shape {told.shape}: a name never given counts "
            "0 (`minlength`).",
        )
        if not np.array_equal(told, truth):
            require(
                not np.array_equal(told, worst), "Those are the k *worst* names: `argsort` begins with the smallest."
            )
            require(not np.array_equal(told, first), "You count only the best name of each picture, whatever k is.")
            require(
                not np.allclose(told * shape[0], truth),
                "Those are shares of the pictures: give the numbers themselves.",
            )
            require(told.sum() == truth.sum(), f"All counts together must be pictures times k, {truth.sum()} here.")
            require(False, "Take the k largest scores of each row, and count how often each column is among them.")
    return "A picture votes for k names, and a hub gets the votes."


@exercise
def picture_alone(mended) -> str:
    """A function of teaching rows and any others: all scaled from 0 to 1 by the teaching rows."""
    expect_function(mended, "the teaching rows and any others")
    rng = np.random.default_rng(20200313)
    train, test = rng.normal(size=(40, 6)) * [1, 2, 3, 4, 5, 6], rng.normal(size=(9, 6)) + 1
    low, high = train.min(axis=0), train.max(axis=0)
    truth = [(rows - low) / (high - low) for rows in (train, test)]
    told = mended(train.copy(), test.copy())
    expect(told, (list, tuple), "a list with the scaled rows of each, in their order")
    require(len(told) == 2, f"Expected as many tables as were given, 2, got {len(told)}.")
    ours, company = (np.asarray(rows, float) for rows in told)
    require(
        ours.shape == train.shape and company.shape == test.shape,
        f"Expected the shapes as they were, got {ours.shape} and {company.shape}.",
    )
    alone = np.concatenate([np.asarray(mended(train.copy(), row[None].copy())[1], float) for row in test])
    require(
        np.allclose(alone, company),
        "Alone, a picture still gets other numbers than in company: something is learnt from the test pictures.",
    )
    require(np.allclose(ours, truth[0]), "The teaching pictures should come out from 0 to 1 in each column, as before.")
    require(
        not np.allclose(company, np.clip(truth[1], 0, 1)) or np.allclose(company, truth[1]),
        "You cut the test pictures off at 0 and 1. They may lie outside of what was seen: leave them there.",
    )
    require(
        np.allclose(company, truth[1]), "The others are to be scaled by the *teaching* pictures' smallest and largest."
    )
    three = mended(train.copy(), test[:4].copy(), test[4:].copy())
    require(len(three) == 3, "It has to take any number of tables after the first.")
    return "Learnt once, from the pictures that teach; and a picture alone gets the answer that it gets in company."
