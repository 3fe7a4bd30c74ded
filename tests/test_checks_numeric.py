"""Numeric checks over random truths: the truth is never refused, a misconception passes only where it is the truth."""

from decimal import Decimal
from fractions import Fraction

import keras
import numpy as np
import pandas as pd
import pytest
import scipy.stats
import tensorflow as tf

from tlcourse.classroom import checks
from tlcourse.classroom.checks import NotYet, core


def rules(rng):
    """Gains by rule for ten targets in two draws; hindsight takes none in about a quarter, and is mostly ahead."""
    table = pd.MultiIndex.from_product([list("abcdefghij"), range(2)], names=["target", "seed"]).to_frame(index=False)
    leep = rng.normal(2, 5, size=20)
    best = np.where(np.arange(20) % 4 == 0, 0, leep + rng.uniform(0.5, 4, size=20))
    gains = {"LEEP": np.where(best == 0, -np.abs(leep), leep), "best in hindsight": best, "any source": leep - 6}
    return pd.concat([table.assign(rule=rule, gain=gain) for rule, gain in gains.items()])


def to_digits(rng):
    """Runs and better recipes of chapter 19 for the digits: four draws of the first, nine of the second."""
    ways = [(s, w, d) for s in ("upside down", "untrained") for w in ("frozen", "fine-tuned") for d in range(4)]
    plain = pd.DataFrame(ways, columns=["source", "treatment", "seed"])
    better = pd.DataFrame([(r, d) for r in ("longer", "shifted") for d in range(9)], columns=["recipe", "seed"])
    tables = plain, better.assign(source="untrained")
    return tuple(t.assign(target="digits", accuracy=rng.uniform(50, 95, size=len(t))) for t in tables)


def runs(rng):
    """Two settings of each of three kinds, five splits, with accuracies that are shares of 47 photographs."""
    table = pd.DataFrame([(t, r, 1.0, s) for t in (1, 2) for r in (1e-4, 1e-3) for s in range(5)],
                         columns=["top", "rate", "decay", "seed"])  # fmt: skip
    accuracies = 100 * rng.integers(20, 47, size=(2, len(table))) / 47
    return table.assign(start="probe", validation_accuracy=accuracies[0], test_accuracy=accuracies[1])


def few_pictures(rng):
    """FE and FT of two targets, each with what is known and with what is chosen."""
    ways = ["FE, known block", "FE, last block", "FT, known rate", "FE, cross-validated", "FE, embedding",
            "FT, cross-validated"]  # fmt: skip
    table = pd.DataFrame([(t, m, 6, s) for t in ("things", "letters") for m in ways for s in range(4)],
                         columns=["target", "method", "k", "seed"])  # fmt: skip
    return table.assign(accuracy=rng.uniform(30, 90, size=len(table)))


def forgotten(rng):
    """Photographs by the old head and by a new probe, before, amid and after learning something else."""
    table = pd.DataFrame([(j, n, s) for j in ("old head", "new probe") for n in ("0", "32", "120") for s in range(5)],
                         columns=["judged", "step", "seed"])  # fmt: skip
    accuracies = rng.uniform(50, 80, size=len(table))
    accuracies[table.step == "0"] = np.tile(rng.uniform(80, 95, size=5), 2)
    return table.assign(accuracy=accuracies)


def shots(rng):
    """Accuracy with so many examples a class, three draws, two kinds of features."""
    rows = [(f, k, s, rng.uniform(10, 95)) for f in ("CNN", "HOG") for k in (1, 2, 3, 5, 8) for s in range(3)]
    return pd.DataFrame(rows, columns=["features", "k", "seed", "accuracy"])


def beside_one_font(rng):
    """Accuracy by what lay beside one font, from the least useful to the most."""
    return pd.Series(np.sort(rng.uniform(30, 95, size=5)), ["none", "VAE alone", "duplicates", "VAE carried", "source"])


def harms(rng):
    """How often twins are taken for each other, by how the source was seen and what is trained on the target."""
    names = [(source, trained) for source in ("as they are", "mirrored") for trained in ("frozen", "tuned")]
    return pd.Series(rng.uniform(0, 30, size=4), index=pd.MultiIndex.from_tuples(names))


def blocks(rng):
    """Accuracy of six blocks on two targets in draws 10 to 19."""
    rows = [(t, b, s, rng.uniform(40, 90)) for t in ("photographs", "letters") for b in "abcdef" for s in range(10, 20)]
    return pd.DataFrame(rows, columns=["target", "block", "seed", "accuracy"])


def gains(rng):
    columns = pd.MultiIndex.from_product([["AnB", "AnB+", "BnB", "BnB+"], [4, 6]])
    return pd.DataFrame(3 * rng.normal(size=(8, 8)), columns=columns)


def matrix(rng):
    """Accuracy of five sources (rows) on five targets (columns)."""
    names = ["photo", *"abcd"]
    return pd.DataFrame(rng.uniform(12, 95, size=(5, 5)), names, names)


def arms(rng):
    """Accuracy of the arms of chapter 13 (columns) on twenty pairs of collections (rows)."""
    names = ["both", "confusion", "joint", "labels weighted", "soft", "soft, even", "source alone", "target alone"]
    return pd.DataFrame(rng.uniform(20, 80, size=(20, 8)), columns=names)


def taught(rng):
    """Accuracy of arms of chapter 18 with ten labels a class."""
    return pd.Series(rng.uniform(40, 90, size=5), ["rotation", "untrained", "pixels", "scratch", "lot"])


def distances(rng):
    """Loss and distance of every source for every target."""
    pairs = [(a, b) for a in "abcde" for b in "abcde" if a != b]
    table = pd.DataFrame(pairs, columns=["source", "target"])
    return table.assign(loss=rng.normal(size=20), distance=rng.uniform(0, 2, size=20))


def two_sides(rng):
    """Right on seen and on unseen over the number taken off (chapter 16)."""
    taken_off, middle = np.round(np.arange(0, 0.81, 0.04), 2), rng.uniform(0.1, 0.6)
    seen = rng.uniform(30, 60) / (1 + np.exp((taken_off - middle) / 0.05))
    unseen = rng.uniform(5, 20) / (1 + np.exp((middle - 0.05 - taken_off) / 0.05))
    return pd.DataFrame({"seen": seen, "unseen": unseen}, index=taken_off)


def of_two(rng):
    """Percent right of two names, across classes and inside one (chapter 16)."""
    arms = ["names", "names, shuffled in class", "class", "names, shuffled"]
    return pd.DataFrame(rng.uniform(51, 95, size=(4, 2)), arms, ["across", "inside"])


def three_detectors(rng):
    table = {"picture": rng.uniform(0.1, 0.9, 3), "usual": rng.uniform(0.05, 0.4, 3)}
    return pd.DataFrame(table | {"zebra": [1, 1, 0], "tiger": [1, 0, 1]}, ["striped", "hoofed", "hunts"])


def fallen(rng):
    """What is right of the half with labels and of the others, before and after (chapter 13)."""
    names, columns = ["source alone", "joint", "same heap", "names shuffled"], ["labelled", "others", "among_others"]
    table = pd.DataFrame(rng.uniform(50, 60, size=(4, 3)), names, columns)
    table.loc["joint"] -= [0, rng.uniform(5, 20), rng.uniform(-2, 4)]
    return table


def episodes_of_systems(rng):
    """Percent right, a column for each of fifty writing systems, as in chapter 15."""
    return pd.DataFrame(rng.uniform(35, 75, size=50) + rng.normal(0, 20, size=(100, 50)))


def two_methods(rng):
    """Mean accuracy of two methods in ten groups that are hard or easy for both."""
    hard = rng.uniform(60, 95, size=10)
    return tuple(pd.Series(hard + rng.normal(shift, 1.0, size=10)) for shift in (0, 2))


def second_task(rng):
    """Accuracy of the arms of chapter 14 with a second task."""
    names = ["alone", "key, more", "key, more, shuffled, even"]
    return pd.Series(rng.uniform(50, 55) + rng.uniform(1, 9) * np.array([0, 1, -1]) * rng.uniform(0.3, 1, 3), names)


# The further arguments of each numeric check, drawn at random as a notebook could have them.
CONTEXTS = {
    "at_least_wrong": lambda rng: (),
    "becomes_one": lambda rng: (),
    "bias_without_labels": lambda rng: (rng.normal(size=(500, 10)) - rng.uniform(0, 8) * np.eye(10)[3],),
    "break_even": lambda rng: tuple(map(int, rng.integers(3, 2000, size=2))),
    "carbon_intensity": lambda rng: (),
    "cost_of_shift": lambda rng: (matrix(rng),),
    "effective_size": lambda rng: (),
    "fair_baseline": to_digits,
    "fair_calibration": lambda rng: (two_sides(rng),),
    "false_share": lambda rng: (),
    "fair_gain": lambda rng: (few_pictures(rng),),
    "gap_closed": lambda rng: tuple(np.sort(rng.uniform(20, 99, size=3))),
    "half_as_probable": lambda rng: (),
    "held_out_depth": lambda rng: (blocks(rng),),
    "honest_choice": lambda rng: (runs(rng),),
    "honest_share": lambda rng: (arms(rng),),
    "lazy_classifier": lambda rng: (rng.integers(0, 2, size=rng.integers(2, 400)),),
    "leep_of_a_constant": lambda rng: (),
    "more_systems": lambda rng: (episodes_of_systems(rng),),
    "missed_dip": lambda rng: (gains(rng),),
    "moved_line": lambda rng: (),
    "nearest_is_best": lambda rng: (distances(rng),),
    "nearest_neighbour": lambda rng: (rng.normal(size=(40, 3)), rng.integers(0, 3, size=40)),
    "paired_width": two_methods,
    "overstated": lambda rng: (second_task(rng),),
    "handed_on": lambda rng: (beside_one_font(rng),),
    "harm_repaired": lambda rng: (harms(rng),),
    "owed_to_question": lambda rng: (taught(rng),),
    "none_unsaid": lambda rng: (rules(rng),),
    "peeking": lambda rng: (pd.DataFrame(rng.uniform(20, 90, size=(20, 8)), columns=[5, 10, 20, 30, 40, 50, 60, 80]),),
    "points_lost": lambda rng: (forgotten(rng),),
    "share_forgotten": lambda rng: (fallen(rng),),
    "share_of_gap": lambda rng: tuple(np.sort(rng.uniform(20, 99, size=6))[:, None] + rng.normal(size=(6, 10))),
    "share_of_class": lambda rng: (of_two(rng),),
    "specificity": lambda rng: (gains(rng),),
    "stem_flops": lambda rng: (),
    "zebra_or_tiger": lambda rng: (three_detectors(rng),),
    "worth_of_one": lambda rng: (shots(rng),),
}
KINDS = [
    float,
    np.float64,
    np.float32,
    np.array,
    Fraction,
    Decimal,
    tf.constant,
    keras.ops.convert_to_tensor,
    np.longdouble,
]


def asked(name, seed=0):
    return getattr(checks, name).question(*CONTEXTS[name](np.random.default_rng(seed)))


def refused(answer, question):
    """The hint, or None where the answer is accepted."""
    try:
        core.judge(answer, question)
    except NotYet as hint:
        return str(hint)
    return None


def test_every_numeric_check_is_tried_here():
    assert set(CONTEXTS) == {name for name in checks.__all__ if hasattr(getattr(checks, name), "question")}


DRAWS = [(n, seed) for n, draw in CONTEXTS.items() for seed in range(25 if draw(np.random.default_rng(0)) else 1)]
cases = pytest.mark.parametrize(("name", "seed"), DRAWS)


@cases
def test_the_truth_is_never_refused(name, seed):
    question = asked(name, seed)
    truth = float(question.truth)
    half_up = np.floor(truth * 10**question.decimals + 0.5) / 10**question.decimals
    as_shown = [float(f"{truth:.{d}f}") for d in range(question.decimals, question.decimals + 5)]
    for answer in (truth, half_up, *as_shown):
        for kind in KINDS:
            assert refused(kind(answer), question) is None, (answer, kind)
    if truth == int(truth):
        for kind in (int, np.int64, np.uint32, np.int32):
            assert truth < 0 or refused(kind(truth), question) is None


@cases
def test_a_misconception_passes_only_where_it_is_the_truth_as_shown(name, seed):
    question = asked(name, seed)
    assert len(question.wrong) >= 2
    for wrong, hint in question.wrong.items():
        said = refused(wrong, question)
        half = 0.5 * 10.0**-question.decimals
        if said is None:
            assert abs(wrong - question.truth) <= max(half, question.tolerance) * 1.001 + 1e-5 * abs(wrong)
        else:
            assert said == hint or abs(question.truth - wrong) < half


@cases
def test_no_tolerance_is_generous(name, seed):
    """No rounding on the way costs more than three tenths of a percent; the bias may lie anywhere in an interval."""
    question = asked(name, seed)
    whole = 100 if "%" in question.praise else abs(question.truth)
    assert name == "bias_without_labels" or question.tolerance <= 0.003 * whole


@cases
def test_whatever_coincides_with_the_truth_is_the_truth(name, seed):
    question = asked(name, seed)
    assert refused(question.truth, question._replace(wrong={question.truth: "wrong"} | question.wrong)) is None


def test_coincidences_that_were_refused_once(capsys):
    checks.lazy_classifier(50.0, [0, 1, 0, 1])
    logits = np.random.default_rng(0).normal(size=(500, 10))
    behind = np.delete(logits, 3, axis=1).max(axis=1) - logits[:, 3]
    logits[:, 3] += np.quantile(behind, 0.1) - 0.1
    checks.bias_without_labels(0.1, logits)
    assert capsys.readouterr().out.count("✓") == 2


def test_answers_rounded_as_the_praise_prints_them_that_were_refused_once():
    assert refused(-3.43, asked("leep_of_a_constant")) is None
    assert refused(61, core.Question(60.87, {50: "", 39.13: ""}, "", "{} %")) is None
    assert refused(79.7, core.Question(79.68, {79.73: "tuned"}, "", "{} %", decimals=1)) is None


def test_neighbouring_contrasts_are_told_apart():
    """Two of chapter 06 and one of chapter 19 lay within the old tolerance."""
    for truth, *others in ((1.084, 1.039, 1.061), (1.798, 1.760)):
        question = core.Question(truth, {9.0: "nine"}, "Another contrast.", "{}", decimals=2)
        assert all("Another contrast" in refused(other, question) for other in others)
    assert "2 decimals" in refused(1.1, core.Question(1.084, {1.061: "a neighbour"}, "", "{}", decimals=2))


def test_a_misconception_is_recognised_when_it_is_rounded():
    question = core.Question(47.73, {0.4773: core.PERCENT, 100 * 0.99**12: "twelve steps"}, "", "{} %")
    assert refused(0.48, question) == core.PERCENT
    assert refused(88.6, question) == "twelve steps"


@pytest.mark.parametrize("name", CONTEXTS)
def test_another_number_gets_a_hint_that_does_not_tell_the_truth(name):
    question = asked(name)
    said = refused(float(question.truth) * 1.37 + 3, question)
    assert said.startswith("Not ") and question.otherwise in said
    shown = f"{question.truth:,.{question.decimals}f}"
    for hint in (question.otherwise, *question.wrong.values()):
        assert shown not in hint and shown.replace(",", "") not in hint or len(shown) < 3


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ("79.7", "Expected a number, got the text '79.7': leave the quotation marks out."),
        (np.array([79.7]), "Expected one number, got a ndarray of several: which one is the answer?"),
        ([79.7], "Expected one number, got a list of several: which one is the answer?"),
        (pd.Series([1.0, 2.0]), "Expected one number, got a Series of several: which one is the answer?"),
        (tf.constant([1.0]), "Expected one number, got a EagerTensor of several: which one is the answer?"),
        (None, "Expected a number, got None: see what the text asks for."),
        (True, "Expected a number, got True: see what the text asks for."),
        (float("nan"), "Expected a number, got nan: see what the text asks for."),
        (1j, "Expected a number, got 1j: see what the text asks for."),
    ],
)
def test_what_is_no_number_gets_one_clear_sentence(answer, sentence):
    for name in CONTEXTS:
        assert refused(answer, asked(name)) == sentence


# --- oracles: truths that can be had in another way ---------------------------------------------------------------


def test_the_break_even_rank_by_trying_all():
    for d, k in ((384, 1536), (384, 384), (5, 7), (4, 4)):
        best = max(r for r in range(1, min(d, k)) if r * (d + k) < d * k)
        assert checks.break_even.question(d, k).truth == best


def test_what_becomes_one_by_the_embedding_itself():
    """The threshold as chapter 03's `discretise` has it, on a training column with mean 20 and spread 8."""
    train = np.array([12.0, 28.0])
    for value, code in ((asked("becomes_one").truth + 0.01, 1), (asked("becomes_one").truth - 0.01, 0)):
        z = (value - train.mean()) / train.std()
        assert np.where(z > 0.15, 1, np.where(z < -0.25, -1, 0)) == code


def test_a_missed_dip_by_simulation():
    """Of many experiments whose true dip is as large as the answer, eight in ten find it."""
    (wide,) = CONTEXTS["missed_dip"](np.random.default_rng(0))
    spread = (wide["BnB"][4] - wide["BnB+"][4]).std(ddof=1)
    draws = np.random.default_rng(1).normal(checks.missed_dip.question(wide).truth, spread, size=(4000, len(wide)))
    found = scipy.stats.ttest_1samp(draws, 0, axis=1).pvalue < 0.05
    assert abs(found.mean() - 0.8) < 0.03


def test_a_tenth_is_named_with_the_bias():
    (logits,) = CONTEXTS["bias_without_labels"](np.random.default_rng(0))
    bias = checks.bias_without_labels.question(logits).truth
    assert np.mean((logits + bias * np.eye(10)[3]).argmax(axis=1) == 3) == 0.1


def test_the_runner_up_is_half_as_probable():
    p = keras.ops.convert_to_numpy(keras.ops.softmax(np.array([8.0, 4.0, 0.0]) / asked("half_as_probable").truth))
    np.testing.assert_allclose(p[0], 2 * p[1])


def test_leep_of_a_constant_by_leep():
    from tlcourse.methods import transferability

    constant, y = np.full((62, 10), 0.1), np.arange(62) % 31
    np.testing.assert_allclose(transferability.leep(constant, y), asked("leep_of_a_constant").truth)


def test_honest_choice_by_hand():
    """By split, validation chooses 72 and 90; by the means over both it would choose setting 1."""
    rows = [(1, 0, 84, 72), (2, 0, 60, 80), (1, 1, 86, 70), (2, 1, 90, 90)]
    table = pd.DataFrame(rows, columns=["top", "seed", "validation_accuracy", "test_accuracy"])
    question = checks.honest_choice.question(table.assign(start="probe", rate=1e-4, decay=1.0))
    assert question.truth == 81
    for answer, hint in ((85, "tune on them"), (87, "flatters"), (90, "luck"), (71, "has peeked"), (0.81, "share")):
        assert hint in refused(answer, question)
