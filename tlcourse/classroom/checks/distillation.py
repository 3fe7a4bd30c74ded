"""Checks of chapter 07: what a temperature divides, another control, a bias without labels, a loss of softmaxes."""

import numpy as np

from tlcourse.classroom.checks.core import Question, exercise, expect, expect_function, numeric, require


@numeric
def half_as_probable() -> Question:
    """The temperature at which logits 8 and 4 give probabilities of 2 to 1."""
    truth = 4 / np.log(2)
    return Question(
        truth,
        {
            2: "8 is twice 4, but a softmax does not compare logits by their ratio: it takes their exponentials.",
            4: "At T = 4 the difference is 1, so the winner is e times as probable. It should be twice.",
            1 / truth: "Upside down: the larger T, the smaller the difference that is left.",
            4 * np.log(2): "Here a larger T would make the difference larger. It makes it smaller.",
            4 / np.log10(2): "The softmax is made with e, so take the natural logarithm.",
            8 / np.log(2): "That uses the winner's logit. Only differences count: what is between the two?",
        },
        otherwise="What is the ratio of two softmax probabilities, and what does T do to it?",
        praise="T = {}. The third logit plays no part: a ratio of two probabilities knows only its own two.",
        decimals=2,
        tolerance=0.003,  # ln 2 taken as 0.693
    )


@exercise
def permuted(made) -> str:
    """A function of p and rng that deals the wrong probabilities of each answer anew to the wrong classes."""
    expect_function(made, "p and rng")
    logits = 2 * np.random.default_rng(20180512).normal(size=(300, 8))
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    first, given = p.argmax(axis=1), p.copy()
    one, again, other = (np.array(made(given, np.random.default_rng(seed)), float) for seed in (1, 1, 2))
    require(np.array_equal(given, p), "It changes `p` itself, and the teacher's answers are needed again: copy first.")
    require(one.shape == p.shape, f"Expected answers of the shape {p.shape}, got {one.shape}.")
    moved = np.sum(one.argmax(axis=1) != first)
    require(
        not moved, f"In {moved} of {len(p)} answers another class comes first: leave the first choice in its place."
    )
    sure = np.allclose(one.max(axis=1), p.max(axis=1))
    require(sure, "The first choice is as before, but the confidence is not.")
    wrong = np.sort(one, axis=1)[:, :-1]
    require(
        np.ptp(wrong, axis=1).max() > 1e-9, "Now the wrong classes are all equally likely: that is *spread evenly*."
    )
    require(
        np.allclose(wrong, np.sort(p, axis=1)[:, :-1]), "The wrong probabilities are not the same numbers as before."
    )
    stay = np.all(one == p, axis=1).mean()
    require(stay < 0.05, f"In {100 * stay:.0f} % of the answers nothing has moved.")
    require(np.array_equal(one, again), "Twice the same dice give two results: draw from `rng`, and from nothing else.")
    require(not _one_order(p, one, first), "The wrong classes are dealt in the same order in every answer: a 7 always "
            "gets what was a 1's, and that can be learnt. Deal anew for each.")  # fmt: skip
    require(not np.array_equal(one, other), "Other dice give the same result: it is no chance that deals.")
    return "As sure as before, as doubtful as before, and what the doubts were about is gone."


def _one_order(p, made, first) -> bool:
    """Whether all answers with the same first choice had their classes dealt in the same order."""
    came_from = np.array(
        [[int(np.flatnonzero(old == value)[0]) for value in row] for row, old in zip(made, p, strict=True)]
    )
    return all(len(np.unique(came_from[first == top], axis=0)) == 1 for top in np.unique(first))


@numeric
def bias_without_labels(logits) -> Question:
    """What lifts class 3 to a tenth of the answers; `logits` are those of the unlabelled digits, `(n, 10)`."""
    logits = np.asarray(logits, float)
    behind = np.sort(np.delete(logits, 3, axis=1).max(axis=1) - logits[:, 3])
    tenth, spare = len(behind) // 10, len(behind) // 200
    truth = behind[tenth - 1 : tenth + 1].mean()  # whatever lies between these two lifts just as many
    low, high = behind[tenth - 1 - spare], behind[tenth + spare]  # a tenth, to half a per cent
    return Question(
        truth,
        {
            0.1: "That is the share itself. A bias is added to a logit: how far behind is the 3, on a tenth of the "
            "digits?",
            behind.mean(): "With the mean distance about half of all digits become 3s. Only a tenth should.",
            np.median(behind): "With the median distance half of all digits become 3s. Only a tenth should.",
            np.quantile(behind, 0.9): "The wrong end: so nine tenths become 3s. Lift those that are nearest to it.",
            behind[0]: "That lifts the nearest one only. A tenth of all digits should follow.",
            -np.quantile(behind, 0.1): "Right but for the sign: the 3 is behind, so it must be raised.",
        },
        otherwise="Add it to the logit of the 3, and count how many of the digits are named a 3.",
        praise="A tenth, and no label was used: only how often a 3 comes.",
        decimals=2,
        tolerance=min(truth - low, high - truth),
    )


@exercise
def softened_loss(mended) -> str:
    """A function of T that gives a Keras loss equal to T² times the divergence of the softened answers."""
    import keras

    from tlcourse.methods import distillation

    expect_function(mended, "T")
    rng = np.random.default_rng(20150309)
    teacher, student = 3 * rng.normal(size=(2, 32, 6)).astype("float32")
    losses = {t: mended(t) for t in (2.0, 5.0)}
    for given in losses.values():
        expect(given, keras.distillation.LogitsDistillation, "a keras.distillation.LogitsDistillation")

    def cost(t, v, z):
        return float(np.mean(losses[t].compute_loss(v, z)))

    truth = {t: float(np.mean(distillation.loss(distillation.soften(teacher, t), student, t))) for t in losses}
    differs = cost(2.0, teacher, student) != cost(5.0, teacher, student)
    require(differs, "The temperature makes no difference: pass T on.")
    shifted = abs(cost(2.0, teacher, teacher) - cost(2.0, teacher, teacher + 7))
    require(shifted < 1e-3, "Adding 7 to all logits still changes the loss, so no softmax is taken.")
    same = cost(2.0, teacher, teacher)
    hint = "is one side still logits, or is it another divergence?"
    require(abs(same) < 1e-3, f"The same answers should cost nothing, and they cost {same:.2f}: {hint}")
    for t in losses:
        got = cost(t, teacher, student)
        require(abs(got - truth[t] / t**2) > 1e-3, "The softmax is there; the factor T² of round 2 is missing.")
        right = abs(got - truth[t]) < 1e-3 * max(1, truth[t])
        require(right, f"At T = {t:g} it gives {got:.3f}, but from teacher to student it should be {truth[t]:.3f}.")
    return "Same answers cost nothing, a shift changes nothing, and T² is in: now it is distillation."
