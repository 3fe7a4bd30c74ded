"""Checks of chapter 09: what a change of domain costs, a distance that is honest, and the choice of a source."""

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
            there.mean(): "That is the mean accuracy of the others. How far below the yardstick is it?",
            (own[1:] - there).mean(): "That counts from what each source reaches at home. And this target?",
            own[0] - back.mean(): "Those are the pairs from photographs to the others: a row. The target is a column.",
            (own[1:] - back).mean(): "Those are the losses of photographs as a source. Here they are the target.",
            (own - table)[
                ~np.eye(len(table), dtype=bool)
            ].mean(): "That is the mean of all pairs. One target is asked.",
            (own[0] - there).max(): "That is the worst source alone. The mean of the four is asked.",
        },
        otherwise="The yardstick is on the diagonal; the four others stand above or below it, in the same column.",
        praise=f"{{}} points. From what the sources reach at home it would look like {(own[1:] - there).mean():.1f}.",
        decimals=1,
    )


@exercise
def honest_distance(mended) -> str:
    """A function of two tables of features: the proxy A-distance, measured on rows that were not learnt."""
    expect_function(mended, "two tables")
    rng = np.random.default_rng(20110620)
    same = [float(mended(*rng.normal(size=(2, 100, 500)))) for _ in range(8)]
    require(all(np.isfinite(same)), f"Expected a number, got {same[0]}.")
    require(
        np.mean(same) < 1,
        f"Two draws of one and the same distribution are {np.mean(same):.1f} apart by it: are there rows that judge "
        "the classifier *and* taught it?",
    )
    require(abs(np.mean(same)) < 0.4, f"Expected about 0 where nothing differs, got {np.mean(same):.2f} on average.")
    far = float(mended(rng.normal(size=(80, 20)), 4 + rng.normal(size=(60, 20))))
    require(far > 0, f"Expected about 2 for what is far apart, got {far:.2f}: is it the error, or the accuracy?")
    require(abs(far - 2) < 0.15, f"Expected about 2 for what is far apart, got {far:.2f}: it is 2 · (1 − 2 · error).")
    # Two Gaussians that a best classifier tells apart with an error of 0.16: 2 (1 - 2 * 0.159) = 1.37.
    near = float(mended(rng.normal(size=(900, 1)), 2 + rng.normal(size=(900, 1))))
    require(abs(near - 1.37) < 0.25, f"Expected about 1.37 for two heaps that overlap by a sixth, got {near:.2f}.")
    # As far apart, but in units that one number has a hundred times of: a classifier does not mind, a mean does.
    scale = np.array([100.0, 1.0])
    long = float(mended(scale * rng.normal(size=(900, 2)), scale * rng.normal(size=(900, 2)) + [0, 2]))
    require(abs(long - 1.37) < 0.25, f"Expected about 1.37 whatever the units, got {long:.2f}: is there a classifier?")
    return "Nothing apart is 0, far apart is 2, and what overlaps lies between."


@numeric
def nearest_is_best(pairs) -> Question:
    """Number of targets whose nearest source loses least; `pairs` has the columns source, target, loss, distance."""

    def chosen(one: str, other: str, rows):
        """For each value of column `one` that of column `other`, in the rows with these places."""
        return pairs.loc[rows].set_index(one)[other]

    by_target, by_source = pairs.groupby("target"), pairs.groupby("source")
    nearest, farthest, best = (
        chosen("target", "source", rows)
        for rows in (by_target.distance.idxmin(), by_target.distance.idxmax(), by_target.loss.idxmin())
    )
    goes, suits = (chosen("source", "target", by_source[column].idxmin()) for column in ("distance", "loss"))
    return Question(
        float((nearest == best).sum()),
        {
            float(
                (goes == suits).sum()
            ): "That chooses a target for each source. You have the target, and look for a source.",
            float((farthest == best).sum()): "That takes the farthest source.",
            float(len(best)): "Not always. Look for each target at the four rows that end there.",
        },
        otherwise="For each target: which row has the smallest distance, which the smallest loss? How often is it one?",
        praise="{} of five. Near is not the same as useful.",
        decimals=0,
    )
