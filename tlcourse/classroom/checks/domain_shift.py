"""Checks of chapter 09: what a change of domain costs, a distance that is honest, and pairs that share domains."""

import numpy as np

from tlcourse.classroom.checks.core import Question, exercise, expect_function, numeric, require


@numeric
def cost_of_shift(matrix) -> Question:
    """Mean loss on the first column's domain against its own accuracy; rows are sources, columns targets."""
    table, own = matrix.to_numpy(), np.diag(matrix.to_numpy())
    there, back = table[1:, 0], table[0, 1:]
    truth = own[0] - there.mean()
    return Question(
        truth,
        {
            -truth: "Right but for the sign: a loss is positive.",
            own[0] - table[:, 0].mean(): "In that mean are the photographs themselves, which lose nothing.",
            there.mean(): "That is the mean accuracy of the others. How far below the ceiling is it?",
            (own[1:] - there).mean(): "That counts from what each source reaches at home. And this target?",
            own[0] - back.mean(): "Those are the pairs from photographs to the others: a row. The target is a column.",
            (own[1:] - back).mean(): "Those are the losses of photographs as a source. Here they are the target.",
            (own - table)[
                ~np.eye(len(table), dtype=bool)
            ].mean(): "That is the mean of all pairs. One target is asked.",
            (own[0] - there).max(): "That is the worst source alone. The mean of the four is asked.",
        },
        otherwise="The ceiling is on the diagonal; the four others stand above or below it, in the same column.",
        praise="{} points. Counted from what the sources reach at home it would have looked like next to nothing.",
        decimals=1,
    )


@exercise
def honest_distance(mended) -> str:
    """A function of two tables of features: the proxy A-distance, measured on rows that were not learnt."""
    expect_function(mended, "two tables")
    rng = np.random.default_rng(20110620)
    same = [float(mended(*rng.normal(size=(2, 60, 300)))) for _ in range(3)]
    require(all(np.isfinite(same)), f"Expected a number, got {same[0]}.")
    require(
        np.mean(same) < 1,
        f"Two draws of one and the same distribution are {np.mean(same):.1f} apart by it: are there rows that judge "
        "the classifier *and* taught it?",
    )
    require(abs(np.mean(same)) < 0.4, f"Expected about 0 where nothing differs, got {np.mean(same):.2f} on average.")
    far = float(mended(rng.normal(size=(80, 20)), 4 + rng.normal(size=(60, 20))))
    require(far > 0, f"Expected about 2 for what is far apart, got {far:.2f}: is it the error, or the accuracy?")
    require(abs(far - 2) < 0.1, f"Expected about 2 for what is far apart, got {far:.2f}: it is 2 · (1 − 2 · error).")
    # Two Gaussians that a best classifier tells apart with an error of 0.16: 2 (1 - 2 * 0.159) = 1.37.
    near = float(mended(rng.normal(size=(900, 1)), 2 + rng.normal(size=(900, 1))))
    require(abs(near - 1.37) < 0.15, f"Expected about 1.37 for two heaps that overlap by a sixth, got {near:.2f}.")
    return "Nothing apart is 0, far apart is 2, and what overlaps lies between."


@numeric
def pairs_left() -> Question:
    """Ordered pairs of four domains."""
    return Question(
        12,
        {
            20: "That many there were. How many of them did not have the flawed collection in them?",
            19: "A collection is in more than one pair.",
            16: "It is in four pairs as a source. And as a target?",
            15: "Four collections are left. Each can be the source of how many others?",
            8: "So many go. How many are left?",
            6: "From A to B is not from B to A: each counts twice.",
            4: "So many collections are left, and of those, pairs.",
        },
        otherwise="Count the sources that are left, and for each the targets that are left.",
        praise="{} of twenty: one flawed collection takes eight pairs with it. Twenty points, five sources of luck.",
    )
