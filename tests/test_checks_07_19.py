"""The checks of chapters 07 and 19 accept every right answer and name the misconception behind the wrong ones."""

import keras
import numpy as np
import pandas as pd
import pytest

from tlcourse.classroom import checks
from tlcourse.classroom.checks import NotYet
from tlcourse.methods import transferability

LOGITS = np.random.default_rng(0).normal(size=(500, 10)) - 5 * np.eye(10)[3]
BEHIND = np.sort(np.delete(LOGITS, 3, axis=1).max(axis=1) - LOGITS[:, 3])
CHOSEN = pd.DataFrame(
    [(rule, t, s, gain + t + s) for rule, gain in (("LEEP", 3.0), ("best in hindsight", 9.0), ("any source", -4.0))
     for t in (-1, 1) for s in (-0.5, 0.5)],
    columns=["rule", "target", "seed", "gain"],
)  # fmt: skip


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


@pytest.mark.parametrize(
    ("check", "answers"),
    [
        (checks.half_as_probable, (4 / np.log(2),)),
        (checks.half_as_probable, (5.77,)),
        (checks.bias_without_labels, (np.quantile(BEHIND, 0.1), LOGITS)),
        (checks.bias_without_labels, ((BEHIND[49] + BEHIND[50]) / 2, LOGITS)),
        (checks.softened_loss, (by_object,)),
        (checks.softened_loss, (by_hand(reverse=False),)),
        (checks.leep_of_a_constant, (-3.434,)),
        (checks.regret, (6.0, CHOSEN)),
        (checks.centred_alignment, (transferability.cka,)),
    ],
)
def test_right_answers_are_accepted(check, answers, capsys):
    check(*answers)
    assert "✓" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("check", "answers", "hint"),
    [
        (checks.half_as_probable, (3.3,), "solve for T"),
        (checks.half_as_probable, (-1,), "number from 0"),
        (checks.bias_without_labels, (BEHIND.min(), LOGITS), "nearest one only"),
        (checks.bias_without_labels, (np.quantile(BEHIND, 0.3), LOGITS), "names 30 %"),
        (checks.softened_loss, (7,), "function of T"),
        (checks.softened_loss, (lambda t: keras.losses.KLDivergence(),), "LogitsDistillation"),
        (checks.softened_loss, (by_hand(reverse=True),), "from teacher to student"),
        (checks.leep_of_a_constant, (3.434,), "sign"),
        (checks.leep_of_a_constant, (-1,), "as probable"),
        (checks.regret, (1.0, CHOSEN), "mean over all targets"),
        (checks.regret, (3.0, CHOSEN), "how far|How far"),
        (checks.centred_alignment, (lambda a, b: np.sqrt(transferability.cka(a, b)),), "root"),
        (checks.centred_alignment, ("cka",), "two tables"),
    ],
)
def test_wrong_answers_get_their_hint(check, answers, hint):
    with pytest.raises(NotYet, match=hint):
        check(*answers)
