"""Checks of chapter 19: a fair baseline, what a change shows, LEEP's floor, what an unsaid "none" costs, a CKA."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from tlcourse.classroom.checks.core import PERCENT, Question, exercise, expect, expect_function, numeric, require
from tlcourse.methods import transferability

# What each row of the exercise's table shows, and the hint for each of the two other answers.
SHOWN = {
    "turned": (
        "method",
        {
            "source": "nobody touched the source. Does it bring something now that it did not bring before?",
            "neither": "the line helps scratch, too. Take that off, before and after: is nothing left?",
        },
    ),
    "upside down": (
        "method",
        {
            "source": "the source is the same in both columns. What is not?",
            "neither": "count from scratch, before and after. Is it on the same side both times?",
        },
    ),
    "noise": (
        "neither",
        {
            "method": "it harms less once nothing is frozen, and to harm less is not to help.",
            "source": "that noise is unrelated you know from elsewhere. Which other source helps in this row?",
        },
    ),
    "shallow": (
        "neither",
        {
            "method": "with fewer layers less is left that could harm. Does what is left *bring* anything?",
            "source": "the fonts are all that is tried in this row. Which other source helps in it?",
        },
    ),
    "shifted": (
        "neither",
        {
            "method": "scratch may have its pictures shifted as well. Where is it then?",
            "source": "the fonts are all that is tried in this row. Which other source helps in it?",
        },
    ),
    "relabelled": (
        "source",
        {
            "method": "six layers, frozen, before and after: how one transfers is as it was. What is not?",
            "neither": "one of its two networks is above scratch. What tells it from the other one?",
        },
    ),
}


@numeric
def fair_baseline(runs, recipes) -> Question:
    """Points that *upside down*, fine-tuned, gains for *digits* over scratch on shifted pictures, in shared draws."""
    digits = runs[runs.target == "digits"].pivot_table(index="seed", columns=["source", "treatment"], values="accuracy")
    scratch = recipes[(recipes.target == "digits") & (recipes.source == "untrained")]
    scratch = scratch.pivot_table(index="seed", columns="recipe", values="accuracy")
    longer, shifted = scratch["longer"], scratch["shifted"]
    hers, frozen = digits["upside down", "fine-tuned"], digits["upside down", "frozen"]
    plain, random = digits["untrained", "fine-tuned"], digits["untrained", "frozen"]
    truth, reported = (hers - shifted).mean(), (hers - plain).mean()
    again = "That is her own comparison, with plain scratch. Is that the best that is recorded without a source?"
    draws = "Both sides have that accuracy, but over other draws: keep to those that both tables have, and pair them."
    return Question(
        truth,
        {
            reported: again,
            (hers - longer).mean(): "Four times the steps, and nothing else. Which recipe did more for digits?",
            (hers - random).mean(): "*Untrained* and frozen are random features: a straw man for a baseline.",
            (frozen - shifted).mean(): "Those are her letters frozen. In her report everything was fine-tuned.",
            hers.mean() - shifted.mean(): draws,
            (shifted - plain).mean(): "That is what the better recipe adds to scratch. Where are her letters?",
            -truth: "The other way round: hers minus scratch.",
            truth / 100: "In points of percent, please, as the tables have them.",
        },
        otherwise="Hers minus the best that is recorded without a source, draw by draw, and then the mean.",
        praise=f"{{}} points; over plain scratch it was {reported:+.1f}. A gain is worth what its baseline is. What "
        "her letters bring on shifted pictures nobody has recorded.",
        decimals=1,
    )


@exercise
def what_it_shows(answer) -> str:
    """A dict from row to "method", "source" or "neither"."""
    answer = answer.to_dict() if isinstance(answer, pd.Series) else answer
    expect(answer, Mapping, 'a dict such as {"turned": "neither", …}')
    answer = {str(row).strip().lower(): told for row, told in answer.items()}
    missing, unknown = [row for row in SHOWN if row not in answer], sorted(set(answer) - set(SHOWN))
    require(not unknown, f"The table has no row {', '.join(unknown)}: its rows are {', '.join(SHOWN)}.")
    require(not missing, f"What do you say of {', '.join(missing)}? Not among your keys yet.")
    for row, (truth, hints) in SHOWN.items():
        told = str(answer[row]).strip().lower().removeprefix("the ")
        require(told == truth or told in hints, f'Expected "method", "source" or "neither" for {row}, got {told!r}.')
        require(told == truth, f"*{row}*: {hints.get(told)}")
    return (
        "Less harm is no help. A method is at fault where another makes the same source help, a source where another "
        "helps by the same method."
    )


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
def none_unsaid(chosen) -> Question:
    """Percent of what LEEP leaves to "best in hindsight" that is lost where hindsight takes none."""
    wide = chosen.pivot_table(index=["target", "seed"], columns="rule", values="gain")
    best, leep = wide["best in hindsight"], wide["LEEP"]
    left, none = best - leep, best == 0
    share = 100 * left[none].sum() / left.sum()
    return Question(
        share,
        {
            100 - share: "That is lost where hindsight takes a source, too, and a better one. And where it takes none?",
            share / 100: PERCENT,
            100 * none.mean(): "So often hindsight takes none. How much is lost in these rows?",
            100 * left[none].mean() / left.mean(): "Two means over different numbers of rows: no part of a whole.",
            100 * leep.clip(upper=0).sum() / -left.sum(): "You stop wherever LEEP's choice turned out to be bad. "
            "Nobody knows that before; hindsight goes by the *other* draws.",
            left[none].sum() / len(wide): "Those are points. Which part are they of all that LEEP leaves?",
            left.mean(): "So many points LEEP leaves in all. Which part of them goes where hindsight takes none?",
            left[none].mean(): "So many points go in such a row. Which part is that of all that goes, in all rows?",
            100 * left[none].sum() / best.sum(): "A part of what hindsight brings. Asked is one of what LEEP leaves.",
        },
        otherwise="Row by row, how far is LEEP behind hindsight? Add that up over all rows, and over those without a "
        "source.",
        praise="{} % of it. Where there is something to choose, LEEP chooses well; what it lacks is the word none.",
        decimals=1,
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
