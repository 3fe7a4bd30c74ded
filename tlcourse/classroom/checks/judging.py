"""Checks of chapter 20: false alarms among findings, the rule of verdicts, chains of near-doubles, steps that leak."""

import itertools

import numpy as np
from scipy.sparse.csgraph import connected_components

from tlcourse.classroom import scoreboard
from tlcourse.classroom.checks.core import PERCENT, Question, exercise, expect_function, numeric, require
from tlcourse.methods.statistics import Interval

# Arguments of the rule, and what is wrong with a rule that says something else of them.
CASES = {
    (0.5, 0.25, 0.75, 1): "It is as claimed, and too small to matter: what does the table ask first?",
    (-0.5, -0.75, -0.25, 1): "It is on the other side, and too small to matter there, too.",
    (-5, -9, -1, 1, -5): "The published figure is met, on the wrong side: the claim is about the direction.",
    (4, -1, 9, 1): "0 is in it, and so are effects that matter.",
    (4, -1, 9, 1, 4): "0 is in it: that the mean meets the figure may be luck.",
    (0.8, 0.2, 1.4, 1): "Without a figure the *mean* has to reach the interest; an end of the interval is not enough.",
    (5, 1, 9, 1, 7): "The interval holds the figure; but the rule asks whether the *mean* is within an interest of it.",
    (5, 1, 9, 1, 5.5): "With a figure it is enough that the mean is within the interest of it.",
    (0.8, 0.2, 1.4, 1, 0.5): "With a figure nothing else is asked than that the mean is near it.",
    (8, 2, 14, 10): "The interest is an argument: here it is 10, and the mean does not reach it.",
    (0.5, 0, 1, 1): "Both ends lie exactly on a border: neither inside nor wholly on one side.",
    (5, 1, 9, 1, 6): "Exactly one interest away from the figure is near enough.",
}
# What lets the test into the report, with a hint for whom it escapes; and what does not, with one for whom it catches.
LEAKS = {
    1: "Photographs of one plant lie on both sides: who knows the plant need not know its kind.",
    5: "When to stop is a setting like any other. By which photographs is it chosen?",
    6: "Five seeds, and the best by the test: what is the maximum of five lucky numbers?",
    7: "Nobody asked whether those that were right are clear. What is left out was chosen by the errors.",
}
SOUND = {
    2: "Mean and spread are of the *training* photographs. That is how one scales.",
    3: "ImageNet is a source; it may have shown such plants, but none of these photographs' labels.",
    4: "Cross-validated on what trains. What became of that choice no test photograph decided.",
    8: "A yardstick on the same photographs: it chooses nothing.",
}


@numeric
def false_share() -> Question:
    """Percent of the findings of 200 tests, of which 60 are true and found with power 0.8, that are false alarms."""
    true, empty, either_side, of_all = 60 * 0.8, 140 * 0.025, 140 * 0.05, 200 * 0.025
    of_empty = "So often an *empty* claim is found. Asked is which share of what was *found* is empty."

    def of(alarms: float, right: float) -> float:
        return 100 * alarms / (alarms + right)

    truth = of(empty, true)
    return Question(
        truth,
        {
            of(either_side, true): "One in twenty misses 0, on *either* side. Found is what lies on the claimed one.",
            5: of_empty,
            2.5: of_empty,
            100 * empty / 200: "That is a share of all that was tested. Asked is one of what was found.",
            of(empty, 60): "Of the true ones only four in five are found.",
            of(either_side, 60): "Only four in five true ones are found, and half of those off 0 lie as claimed.",
            100 - truth: "That share is true. And the rest?",
            70: "So many of the *claims* are empty. How many of them are found?",
            of(of_all, true): "Luck can raise an alarm only where nothing is there: count the empty claims, not all.",
            empty: "So many false alarms there are. Which share are they of all that is found?",
            truth / 100: PERCENT,
        },
        otherwise="How many empty claims are found, how many true ones? The first over the sum of both.",
        praise="{} %. The fewer claims are true, and the less power, the larger it is (Ioannidis, 2005).",
        decimals=1,
    )


@exercise
def verdict_rule(rule) -> str:
    """A function of mean, low, high, interest and perhaps a published figure, in effects towards the claimed side."""
    expect_function(rule, "mean, low, high, interest and published")
    for case, hint in CASES.items():
        said, truth = rule(*case), _verdict(*case)
        require(isinstance(said, str), f"Expected a verdict in words, got {said!r} for {case}.")
        require(said in scoreboard.VERDICTS, f"Expected one of {', '.join(scoreboard.VERDICTS)}; got {said!r}.")
        require(said == truth, f"For {case} it says {said!r}. {hint}")
    rng = np.random.default_rng(20)
    for _ in range(300):
        mean, half, interest, figure = rng.normal(0, 3), *rng.exponential(2, 2), rng.normal(0, 4)
        case = mean, mean - half, mean + half, interest, rng.choice([None, figure])
        rounded = tuple(part if part is None else round(float(part), 2) for part in case)
        require(rule(*case) == _verdict(*case), f"For {rounded} it says {rule(*case)!r}: try the table from above.")
    return "What is too small to matter is asked first, the side next, and the figure last."


def _verdict(mean, low, high, interest, published=None) -> str | None:
    words = dict.fromkeys(("id", "chapter", "statement", "lecture", "measure", "unit"), "")
    claim = scoreboard.Claim(**words, interest=interest, published=published)
    return scoreboard.verdict(claim, Interval(mean, low, high, 10))


@exercise
def joined(mended) -> str:
    """A function of a number of pictures and a list of pairs: a number for each picture, one for each chain."""
    expect_function(mended, "a number of pictures and pairs of them")
    chains = [[(0, 1), (2, 3), (1, 2)], [(5, 4), (3, 4), (0, 1), (1, 5)], [(0, 6), (6, 3), (1, 2), (2, 1)], []]
    for pairs in (list(each) for chain in chains for each in itertools.permutations(chain)):
        given = list(pairs)
        number, chain = np.asarray(mended(7, given)), _chains(7, pairs)
        require(number.shape == (7,), f"Expected a number for each of 7 pictures, got the shape {number.shape}.")
        require(given == pairs, "It changes the list of pairs that it is given.")
        for i, j in itertools.combinations(range(7), 2):
            where = f"With the pairs {pairs} the pictures {i} and {j}"
            direct = (i, j) in pairs or (j, i) in pairs
            why = "they are a pair: what came after it?" if direct else "a chain leads from one to the other."
            require(chain[i] != chain[j] or number[i] == number[j], f"{where} have two numbers, though {why}")
            apart = f"{where} have one number, and no chain leads from one to the other."
            require(chain[i] == chain[j] or number[i] != number[j], apart)
    return "Whoever joins two must join all that hang on them."


def _chains(count: int, pairs: list[tuple[int, int]]) -> np.ndarray:
    """For each picture the number of its chain, as a library counts them."""
    steps = np.zeros((count, count), bool)
    steps[tuple(np.reshape(pairs, (-1, 2)).astype(int).T)] = True
    return connected_components(steps, directed=False)[1]


@exercise
def leaking_steps(answer) -> str:
    """A set of the numbers of the steps."""
    one = isinstance(answer, (int, np.integer, str)) and not isinstance(answer, bool)
    given = {int(step) for step in ([answer] if one else answer)}
    unknown = sorted(given - set(LEAKS) - set(SOUND))
    require(not unknown, f"There is no step {', '.join(map(str, unknown))}: they are numbered from 1 to 8.")
    for step in sorted(given & set(SOUND)):
        require(False, f"Step {step}: {SOUND[step]}")
    for step, hint in LEAKS.items():
        hidden = len(given) < 2  # who has found one leak is told that there are more, and not at once which
        require(step in given, "There are more of them." if hidden else f"One that you let pass: {hint}")
    return "One plant on both sides; and a stop, a seed and a cleaning, each chosen with the test in view."
