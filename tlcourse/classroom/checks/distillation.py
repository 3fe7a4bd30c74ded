"""Checks of chapter 07: what a temperature divides, a bias set without labels, and a loss that takes the softmax."""

import numpy as np

from tlcourse.classroom.checks.core import a_number, exercise, require


@exercise
def half_as_probable(answer) -> str:
    """The temperature at which logits 8 and 4 give probabilities of 2 to 1."""
    answer = a_number(answer, low=0, high=1e6)
    truth = 4 / np.log(2)
    for wrong, hint in (
        (2.0, "8 is twice 4, but a softmax does not compare logits by their ratio: it takes their exponentials."),
        (4.0, "At T = 4 the difference is 1, so the winner is e times as probable. It should be twice."),
        (1 / truth, "Upside down: the larger T, the smaller the difference that is left."),
        (4 * np.log(2), "Multiplied where you should divide: (8 − 4) / T has to be the logarithm of 2."),
        (4 / np.log10(2), "The softmax is made with e, so take the natural logarithm."),
        (8 / np.log(2), "That uses the winner's logit. Only differences count: what is between the two?"),
    ):
        require(abs(answer - wrong) > 0.005 * wrong, hint)
    require(abs(answer - truth) < 0.01, f"Not {answer:g}: set exp((8 − 4) / T) = 2 and solve for T.")
    return f"T = {truth:.2f}. The third logit plays no part: a ratio of two probabilities knows only its own two."


@exercise
def bias_without_labels(answer, logits) -> str:
    """What lifts class 3 to a tenth of the answers; `logits` are those of the unlabelled digits."""
    answer = a_number(answer, low=-1e6, high=1e6)
    logits = np.asarray(logits, float)
    behind = np.delete(logits, 3, axis=1).max(axis=1) - logits[:, 3]
    named = float((answer > behind).mean())
    for wrong, hint in (
        (
            0.1,
            "That is the share itself. A bias is added to a logit: how far behind is the 3, on a tenth of the digits?",
        ),
        (behind.mean(), "With the mean distance about half of all digits become 3s. Only a tenth should."),
        (np.median(behind), "With the median distance half of all digits become 3s. Only a tenth should."),
        (np.quantile(behind, 0.9), "The wrong end: so nine tenths become 3s. Lift those that are nearest to it."),
        (behind.min(), "That lifts the nearest one only. A tenth of all digits should follow."),
        (-np.quantile(behind, 0.1), "Right but for the sign: the 3 is behind, so it must be raised."),
    ):
        require(abs(answer - wrong) > 1e-3, hint)
    require(
        abs(named - 0.1) < 0.005, f"With {answer:.2f} the student names {100 * named:.0f} % a 3; it should be a tenth."
    )
    return "A tenth, and no label was used: only how often a 3 comes."


@exercise
def softened_loss(mended) -> str:
    """A function of T that gives a Keras loss equal to T² times the divergence of the softened answers."""
    import keras

    from tlcourse.methods import distillation

    require(callable(mended), f"Expected a function of T, got {type(mended).__name__}: def mended(T): return …")
    rng = np.random.default_rng(20150309)
    teacher, student = 3 * rng.normal(size=(2, 32, 6)).astype("float32")
    losses = {t: mended(t) for t in (2.0, 5.0)}
    for given in losses.values():
        right = isinstance(given, keras.distillation.LogitsDistillation)
        require(right, f"Expected a keras.distillation.LogitsDistillation, got {type(given).__name__}.")

    def cost(t, v, z):
        return float(np.mean(losses[t].compute_loss(v, z)))

    truth = {t: float(np.mean(distillation.loss(distillation.soften(teacher, t), student, t))) for t in losses}
    require(
        cost(2.0, teacher, student) != cost(5.0, teacher, student), "The temperature makes no difference: pass T on."
    )
    require(abs(cost(2.0, teacher, teacher) - cost(2.0, teacher, teacher + 7)) < 1e-3,
            "Adding 7 to all logits still changes the loss, so no softmax is taken.")  # fmt: skip
    require(abs(cost(2.0, teacher, teacher)) < 1e-3, "The same answers should cost nothing, and they cost "
            f"{cost(2.0, teacher, teacher):.2f}: is one side still logits, or is it another divergence?")  # fmt: skip
    for t in losses:
        got = cost(t, teacher, student)
        require(abs(got - truth[t] / t**2) > 1e-3, "The softmax is there; the factor T² of round 2 is missing.")
        require(abs(got - truth[t]) < 1e-3 * max(1, truth[t]), f"At T = {t:g} it gives {got:.3f}, and T² times the "
                f"divergence from teacher to student is {truth[t]:.3f}.")  # fmt: skip
    return "Same answers cost nothing, a shift changes nothing, and T² is in: now it is distillation."
