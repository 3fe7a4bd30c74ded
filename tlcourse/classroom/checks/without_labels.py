"""Checks of chapter 18: the contrastive loss, points a question owns, an index by chance, and hidden edges."""

import numpy as np

from tlcourse.classroom.checks.core import PERCENT, Question, exercise, expect_function, numeric, require


@exercise
def contrastive(alike) -> str:
    """A function of `(2n, d)` projections, rows i and i + n being partners, and perhaps a temperature."""
    from scipy.special import log_softmax
    from sklearn.preprocessing import normalize

    expect_function(alike, "projections, and a temperature")
    n, tau = 5, 0.2
    z = np.random.default_rng(18).normal(size=(2 * n, 4)).astype("float32")

    def loss(z, *, itself=False, partner=n, scale=tau):
        likeness = z @ z.T / scale
        if not itself:
            np.fill_diagonal(likeness, -np.inf)
        return -log_softmax(likeness, axis=1)[np.arange(2 * n), (np.arange(2 * n) + partner) % (2 * n)].mean()

    told = float(np.asarray(alike(z.copy(), tau)))
    unit = normalize(z)
    wrong = {
        loss(unit, itself=True): "A picture is compared with itself, and is always most like itself. Who is *not* in "
        "the sum?",
        loss(z): "Lengths count: a network could win by long rows alone. Scale each to length one.",
        loss(unit, scale=1.0): "The temperature changes nothing. What is divided by it?",
        loss(unit, partner=1): "Row i and row i + 1 are called partners. Here they are i and i + n.",
        loss(unit) * 2 * n: "That is the sum over the rows, and the formula has the mean.",
        -loss(unit): "The sign: a loss is small where the partner is likely.",
    }
    for value, hint in wrong.items():
        require(abs(told - value) > 1e-3, hint)
    first = -np.log(np.exp(np.diag(unit[:n] @ unit[n:].T) / tau) / np.exp(unit[:n] @ unit[n:].T / tau).sum(axis=1))
    require(abs(told - first.mean()) > 1e-3, "Only the other half is in the sum. All other views are, of both halves.")
    require(abs(told - loss(unit)) < 1e-3, f"On ten random rows the loss is {loss(unit):.3f}, yours {told:.3f}.")
    return "Of all the other views, which is made from the same picture? A classification that makes its own labels."


@numeric
def owed_to_question(means) -> Question:
    """Percent of rotation's points above guessing among ten that it has over the same network untrained."""
    above, own = means["rotation"] - 10, means["rotation"] - means["untrained"]
    return Question(
        100 * own / above,
        {
            own / above: PERCENT,
            own: "Those are the points over the untrained network. Which part are they of those above guessing?",
            above: "Those are the points above guessing. How many of them has the same network without a step?",
            100 - 100 * own / above: "That is the share of the network as it is, without a step. And the question's?",
            100 * (means["rotation"] - means["pixels"]) / above: "From pixels: another reader of the pictures, and "
            "more differs from it than the question.",
            100 * (means["rotation"] - means["scratch"]) / above: "Scratch has every weight trained on the labels. "
            "Here a probe reads a network; which one is the same but for what it learnt?",
            100 * own / means["rotation"]: "A share of the whole accuracy. Guessing among ten kinds is right one time "
            "in ten.",
            100 * own / (100 - means["untrained"]): "A share of what was still missing. Asked is a share of what is "
            "claimed: the points above guessing.",
        },
        otherwise="Two differences: rotation over guessing among ten kinds, and rotation over the network untrained.",
        praise="{} %. The rest has the network without a single step, and it belongs to nobody's method.",
        decimals=1,
    )


@exercise
def by_chance(function) -> str:
    """A function of an index, kinds and heaps: the index's mean over shuffles of the heaps."""
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

    expect_function(function, "an index, kinds and heaps")
    rng = np.random.default_rng(18)
    kinds = rng.permutation(np.arange(120) % 6)
    heaps = np.where(rng.random(120) < 0.8, kinds, rng.permutation(np.arange(120) % 6))
    told = float(function(normalized_mutual_info_score, kinds.copy(), heaps.copy()))
    true = np.mean([normalized_mutual_info_score(kinds, rng.permutation(heaps)) for _ in range(400)])
    require(
        abs(told - normalized_mutual_info_score(kinds, heaps)) > 1e-6,
        "That is the index of the heaps as they are. What would it be if they had nothing to do with the kinds?",
    )
    require(abs(told - 20 * true) > 3 * true, "That is a sum. Take the mean over the shuffles.")
    again = [float(function(normalized_mutual_info_score, kinds.copy(), heaps.copy())) for _ in range(2)]
    spread = max(abs(each - true) for each in (told, *again))
    require(spread < 0.25 * true, f"On heaps that are shuffled NMI is {true:.3f} on the mean, yours is {told:.3f}: "
            "shuffle often enough, each time anew, and the heaps alone.")  # fmt: skip
    adjusted = float(function(adjusted_rand_score, kinds.copy(), heaps.copy()))
    require(abs(adjusted) < 0.02, f"The adjusted Rand index of shuffled heaps is 0, yours {adjusted:.3f}: use `index`.")
    return "What chance gives belongs beside every index. The adjusted one has it taken off already."


@exercise
def hidden_edges(mended) -> str:
    """A function of a symmetric table and a seed: the edges that are hidden, and the table without them."""
    expect_function(mended, "a table and a seed")
    import networkx as nx

    a = nx.to_numpy_array(nx.les_miserables_graph(), weight=None)
    before = a.copy()
    held, rest = mended(a, 0)
    held, rest = np.asarray(held), np.asarray(rest)
    require(np.array_equal(a, before), "The table that you were given has changed: copy it first.")
    require(held.ndim == 2 and held.shape[1] == 2, f"Expected rows of two ends, shape (n, 2), got {held.shape}.")
    require(rest.shape == a.shape and np.array_equal(rest, rest.T), "Who knows whom is mutual: `rest` must be as well.")
    there = {frozenset(pair) for pair in held.tolist()}
    require(len(there) == len(held), "Some edge is hidden twice, once from either end: it counts double.")
    require(bool((a[tuple(held.T)] > 0).all()), "Some of the hidden pairs are no edges.")
    seen = int((rest[tuple(held.T)] > 0).sum())
    require(seen == 0, f"Of {len(held)} hidden edges {seen} can still be seen in `rest`: look from the other end.")
    total = int(a.sum() / 2)
    require(int(rest.sum() / 2) == total - len(held), "Edges are missing in `rest` that were not hidden.")
    require(0.05 <= len(held) / total <= 0.15, f"About a tenth is to be hidden, not {len(held)} of {total}.")
    other = {frozenset(pair) for pair in np.asarray(mended(a, 1)[0]).tolist()}
    require(other != there, "Another seed hides the same edges.")
    return "Hidden from both ends. The group that must not be on both sides is the edge."
