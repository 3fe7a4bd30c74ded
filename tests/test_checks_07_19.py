"""The checks of chapters 07 and 19 accept every right answer and name the misconception behind the wrong ones."""

import keras
import numpy as np
import pytest

from tlcourse.classroom import checks
from tlcourse.classroom.checks import NotYet


def by_object(temperature):
    return keras.distillation.LogitsDistillation(temperature=temperature, loss=keras.losses.KLDivergence())


def by_hand(*, reverse):
    """A loss with its own divergence; reversed, it is from student to teacher."""

    def mended(temperature):
        def loss(teacher, student):
            p, q = (keras.ops.softmax(logits) for logits in ((student, teacher) if reverse else (teacher, student)))
            return temperature**2 * keras.ops.sum(p * keras.ops.log(p / q), axis=-1)

        return keras.distillation.LogitsDistillation(temperature=temperature, loss=loss)

    return mended


@pytest.mark.parametrize("mended", [by_object, by_hand(reverse=False)])
def test_a_softened_loss_is_right_by_what_it_computes(mended, capsys):
    checks.softened_loss(mended)
    assert "✓" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("mended", "hint"),
    [
        (7, "a function of T, got a int"),
        (keras.distillation.LogitsDistillation, "the class LogitsDistillation itself"),
        (lambda t: keras.distillation.LogitsDistillation, "the class LogitsDistillation itself"),
        (lambda t: keras.losses.KLDivergence(), "LogitsDistillation, got a KLDivergence"),
        (by_hand(reverse=True), "from teacher to student"),
    ],
)
def test_another_loss_is_refused(mended, hint):
    with pytest.raises(NotYet, match=hint):
        checks.softened_loss(mended)


def dealt(p, rng):
    """By ranks: dice for every wrong class, and the first choice put back in its place."""
    dice = rng.uniform(size=p.shape)
    made, rows, first = np.empty_like(p), np.arange(len(p)), p.argmax(axis=1)
    dice[rows, first] = 2
    places = np.argsort(dice, axis=1)[:, :-1]
    others = np.sort(np.where(np.arange(p.shape[1]) == first[:, None], -1, p), axis=1)[:, 1:]
    np.put_along_axis(made, places, others, axis=1)
    made[rows, first] = p[rows, first]
    return made


def dealt_in_place(p, rng):
    p[:] = dealt(p, rng)
    return p


def sorted_up(p, rng):
    """No dice: the wrong classes get the wrong probabilities by size."""
    made = p.copy()
    for row, first in zip(made, p.argmax(axis=1), strict=True):
        wrong = np.arange(len(row)) != first
        row[wrong] = np.sort(row[wrong])
    return made


def test_doubts_are_dealt_anew_however_it_is_done(capsys):
    checks.permuted(dealt)
    checks.permuted(lambda p, rng: keras.ops.convert_to_tensor(dealt(p, rng)))
    assert capsys.readouterr().out.count("✓") == 2


@pytest.mark.parametrize(
    ("made", "hint"),
    [
        (lambda p, rng: p, "nothing has moved"),
        (lambda p, rng: rng.permuted(p, axis=1), "another class comes first"),
        (lambda p, rng: dealt(p, rng)[:, ::-1], "another class comes first"),
        (lambda p, rng: dealt(p**0.5 / (p**0.5).sum(axis=1, keepdims=True), rng), "confidence"),
        (lambda p, rng: dealt(p, np.random.default_rng()), "from `rng`"),
        (lambda p, rng: dealt(p, np.random.default_rng(0)), "no chance"),
        (sorted_up, "no chance"),
        (dealt_in_place, "copy first"),
        (lambda p, rng: dealt(p, rng)[:10], "of the shape"),
        (np.ones((3, 8)), "write it with `def`"),
    ],
)
def test_another_deal_is_refused_for_its_own_reason(made, hint):
    with pytest.raises(NotYet, match=hint):
        checks.permuted(made)


def by_feature_space(a, b):
    """The same number by kernels: no line in common with the notebook's (Kornblith et al., 2019, eq. 4)."""
    centre = np.eye(len(a)) - 1 / len(a)
    k, m = centre @ a @ a.T @ centre, centre @ b @ b.T @ centre
    return (k * m).sum() / np.sqrt((k * k).sum() * (m * m).sum())


def test_linear_cka_is_right_however_it_is_computed(capsys):
    checks.centred_alignment(by_feature_space)
    assert "✓" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("mended", "hint"),
    [
        (lambda a, b: np.sqrt(by_feature_space(a, b)), "root"),
        (lambda a, b: 1.0, "nothing in common"),
        (
            lambda a, b: by_feature_space(a, b) if a.shape == b.shape else by_feature_space(a, b) * 0.9,
            "share a feature",
        ),
        ("cka", "two tables"),
    ],
)
def test_another_alignment_is_refused(mended, hint):
    with pytest.raises(NotYet, match=hint):
        checks.centred_alignment(mended)
