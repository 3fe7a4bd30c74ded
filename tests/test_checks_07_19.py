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
