"""Checks of chapter 11: the share of a gap, a line that moves with the proportions, subspaces turned once, peeking."""

import numpy as np

from tlcourse.classroom.checks.core import Question, exercise, expect_function, numeric, require


@numeric
def gap_closed(nothing: float, aligned: float, ceiling: float) -> Question:
    """Share in percent of the way from nothing done to the target's own classifier; all three in percent."""
    truth = 100 * (aligned - nothing) / (ceiling - nothing)
    return Question(
        truth,
        {
            aligned - nothing: "Those are points. What share are they of all that could be gained?",
            100 * (aligned - nothing) / ceiling: "That counts from zero. The gap begins where nothing is done.",
            100 * (aligned - nothing) / nothing: "That is relative to where you started, not to what was missing.",
            100 * (ceiling - aligned) / (ceiling - nothing): "That is the share that stays open. Which is closed?",
            100 * aligned / ceiling: "That is the share of the ceiling that is reached, most of it without aligning.",
            -truth: "Right but for the sign: closed is positive, opened wider is negative.",
            truth / 100: "That is a share; in percent, please.",
        },
        otherwise="Over the bar stands what aligning adds, under it what the ceiling is above doing nothing.",
        praise="{} % of the gap.",
        decimals=1,
        tolerance=0.25,  # from the rounded numbers that are printed it comes out so much beside
    )


@numeric
def moved_line() -> Question:
    """Where the source's line falls in the target, if each domain is centred and nine in ten there are vehicles."""
    return Question(
        0.8,
        {
            0.0: "So it was before. But the target's own mean is taken away, and where does that lie?",
            -0.8: "The right distance, on the other side: which class are most of them?",
            0.9: "That is the share of vehicles. What is the mean of the feature, if the rest lie at −1?",
            0.1: "That is the share of birds. What is the mean of the feature?",
            0.2: "There the vehicles lie once the mean is taken away. And the line, in the old coordinates?",
            -1.8: "There the birds lie once the mean is taken away. And the line, in the old coordinates?",
            1.0: "That is the middle of the vehicles. Where does the target's own mean lie?",
        },
        otherwise="After centring, the line is at 0: that is the target's own mean. Work that out.",
        praise="{}: close by the vehicles, so many of them are now on the birds' side, though no single picture moved.",
        decimals=1,
    )


def _axes(rows, k):
    return np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)[2][:k].T


@exercise
def subspaces_turned_once(mended) -> str:
    """A function of source, target and a number of dimensions that returns a map for rows of each domain."""
    expect_function(mended, "source, target, dimensions")
    rng = np.random.default_rng(2013)
    source, target = (rng.normal(size=(50, 8)) * np.geomspace(5, 0.5, 8) @ rng.normal(size=(8, 8)) for _ in range(2))
    new, new_t = rng.normal(size=(2, 7, 8))
    maps = mended(source, target, 3)
    require(
        isinstance(maps, tuple) and len(maps) == 2 and all(map(callable, maps)),
        "Expected two maps, as align_subspaces returns them: one for rows of the source, one for rows of the target.",
    )
    a, b = _axes(source, 3), _axes(target, 3)
    moved, moved_t = new - source.mean(axis=0), new_t - target.mean(axis=0)

    def alike(rows, wanted):
        """Whether the rows lie to each other as they should, whatever the signs of the axes."""
        rows = np.asarray(rows, float)
        return rows.shape == wanted.shape and np.allclose(np.abs(rows), np.abs(wanted), atol=1e-6)

    got, got_t = (np.asarray(go(rows), float) for go, rows in zip(maps, (new, new_t), strict=True))
    require(
        got.shape == got_t.shape == (7, 3), f"Expected 3 numbers for each of 7 rows, got {got.shape}, {got_t.shape}."
    )
    both = alike(got, moved @ a @ a.T @ b) and alike(got_t, moved_t @ b @ a.T @ b)
    require(not both, "Both are turned. In whose coordinates do they meet? Those rows are there already, and stay.")
    require(
        not (alike(got, moved @ a @ a.T @ b) and alike(got_t, moved_t @ b)),
        "So the source comes to the target's axes, as in round 2. Here the target is to come to the source's.",
    )
    require(
        not (alike(got, moved @ a) and alike(got_t, moved_t @ b)),
        "Now neither is turned: each domain is described on its own axes, the first of the one beside the first of the "
        "other, whatever they are.",
    )
    require(
        not alike(got_t, moved_t @ b @ a.T @ b),
        "The target is turned the wrong way: M takes source axes to target axes.",
    )
    require(
        alike(got, moved @ a), "Expected the source's rows on the source's own axes: the target's come to meet them."
    )
    require(
        not alike(got_t, (new_t - source.mean(axis=0)) @ b @ (b.T @ a)),
        "Turned rightly; but whose mean is taken from the target's rows? Each domain loses its own.",
    )
    require(
        alike(got_t, moved_t @ b @ (b.T @ a)),
        "Expected the target's rows on its own axes, and then turned by M's transpose.",
    )
    signs = np.sign((got * (moved @ a)).sum(axis=0)) * np.sign((got_t * (moved_t @ b @ b.T @ a)).sum(axis=0))
    require((signs > 0).all(), "An axis points the other way in the one domain: use the same axes for M and the map.")
    return "The target comes to the source's axes; the source, which is there already, stays."


@numeric
def peeking(table) -> Question:
    """Points by which the best setting (a column) of each pair (a row) lies above fifty axes for every pair."""
    values, fifty = table.to_numpy(), table[50].mean()
    best = values.max(axis=1).mean()
    return Question(
        best - fifty,
        {
            best: "That is what the peeker reports. How far over fifty axes for every pair is it?",
            best - values.mean(): "That is best less the mean of all eight. Best less fifty is asked.",
            values.mean(axis=0).max() - fifty: "That is one setting for all pairs. The peeker takes another each time.",
            values.max() - fifty: "That is the best of all cells. Choose within each pair, then take the mean.",
            (values.max(axis=1) - values.min(axis=1)).mean(): "That is best less worst. Best less fifty is asked.",
            fifty - best: "Right but for the sign.",
        },
        otherwise="The best of each row, the mean of those; from that the mean of the column of fifty.",
        praise="{} points. Below 0 it cannot come: fifty is one of the eight, so the best is never worse.",
        decimals=1,
    )
