"""Checks of chapter 19: LEEP's floor, what a rule leaves on the table, and a CKA that is centred."""

import numpy as np

from tlcourse.classroom.checks.core import Question, exercise, expect_function, numeric, require
from tlcourse.methods import transferability


@numeric
def leep_of_a_constant() -> Question:
    """LEEP of a source that answers always alike, on 31 classes with two examples each."""
    truth = -np.log(31)
    return Question(
        truth,
        {
            0: "0 is the best there is: every label certain. This source does not even look.",
            -truth: "Right but for the sign: it is the logarithm of a probability.",
            1 / 31: "That is the probability of the right label; LEEP is the mean of its logarithm.",
            -np.log10(31): "To base 10. LEEP takes the natural logarithm.",
            -np.log2(31): "To base 2. LEEP takes the natural logarithm.",
            -np.log(10): "Those are the source's classes. It is the target's label that has to be told.",
            62 * truth: "That is the sum over the 62 examples. LEEP is their mean.",
            -np.log(62): "That has a class for each example. There are two examples of each of 31 classes.",
            -np.log(2): "Two examples a class, but 31 classes: which label may it be?",
        },
        otherwise="What does such a source know about the label of any picture?",
        praise="{}: the labels' own entropy, with a minus. Such a source tells nothing about them.",
        decimals=2,
    )


@numeric
def regret(chosen) -> Question:
    """Mean gain of "best in hindsight" minus that of "LEEP", in points."""
    mean = chosen.groupby("rule").gain.mean()
    best, leep, any_one = (mean[rule] for rule in ("best in hindsight", "LEEP", "any source"))
    return Question(
        best - leep,
        {
            leep - best: "Right but for the sign: what is left on the table, positive.",
            best: "That is what the best brings; how much of it does LEEP's choice bring, too?",
            leep: "That is what LEEP's choice brings. How far is it from the best?",
            best - any_one: "That is what taking any source leaves. The question is about LEEP.",
            leep - any_one: "That is what LEEP brings over any source. How far is it from the best?",
        },
        otherwise="It is a difference of two means, each over all targets and draws.",
        praise=f"{{}} points; the best would have brought {best:.1f}.",
        decimals=2,
    )


@exercise
def centred_alignment(mended) -> str:
    """A function of two tables: linear CKA."""
    expect_function(mended, "two tables")
    rng = np.random.default_rng(20190615)
    a, b = rng.gamma(2, size=(40, 7)), rng.gamma(2, size=(40, 5))
    b[:, 0] += a[:, 0]
    kept = a.copy(), b.copy()
    got = float(mended(a, b))
    require(np.array_equal(a, kept[0]) and np.array_equal(b, kept[1]), "It changes the tables that it is given.")
    require(abs(got - float(mended(a, b[::-1]))) > 1e-3, "It says the same of tables that have nothing in common.")
    require(abs(float(mended(a, 3 * a)) - 1) < 1e-6, "A table and three times itself should give 1.")
    common = "Adding 5 to every feature still changes it: what they all have in common has to go."
    require(abs(float(mended(a + 5, b)) - got) < 1e-6, common)
    shift = rng.uniform(0, 5, size=7)
    require(abs(float(mended(a + shift, b)) - got) < 1e-6, "Each feature has a mean of its own: one mean a *column*.")
    stretched = abs(float(mended(a * np.array([9, 1, 1, 1, 1, 1, 1]), a)) - 1)
    spread = "Dividing each feature by its spread is too much: then a loud feature counts no more than a quiet one."
    require(stretched > 1e-3, spread)
    truth = transferability.cka(a, b, debias=False)
    require(abs(got - np.sqrt(truth)) > 1e-6, "That is the root of it: the numerator is squared.")
    without = "Centred, and without the diagonal: a better CKA. But mend hers with *one* change, to see what it was."
    require(abs(got - transferability.cka(a, b)) > 1e-6, without)
    require(abs(got - truth) < 1e-6, f"Expected {truth:.3f} for two tables that share a feature, got {got:.3f}.")
    return "Centred, and nothing else changed."
