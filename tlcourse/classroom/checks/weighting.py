"""Checks of chapter 10: how many examples are left, odds, and a score with weights."""

import numpy as np

from tlcourse.classroom.checks.core import Question, exercise, expect_function, numeric, require


@numeric
def effective_size() -> Question:
    """Kish's effective sample size of ninety weights of 1 and ten of 11."""
    truth = 200**2 / 1300
    return Question(
        truth,
        {
            truth / 100: "That is the share of n. In examples, please.",
            100: "So many there are. If they counted the same, they would be worth as many.",
            10: "The ten with a large weight carry just over half of it. The ninety are not nothing.",
            13: "That is the mean of the squares. The numerator is the square of the *sum*.",
            200: "That is the sum of the weights. Square it, and divide by the sum of their squares.",
            1300: "That is the sum of the squares, the denominator.",
            200 / 1300: "The numerator is the *square* of the sum.",
            40000 / 200**2: "The denominator is the sum of the squares, not the square of the sum.",
        },
        otherwise="Square the sum of all hundred weights, and divide by the sum of their squares.",
        praise="About {} of a hundred.",
        decimals=1,
    )


@exercise
def odds_to_weights(to_weights) -> str:
    """A function of probabilities of being a target row, and of the numbers of rows, to weights."""
    expect_function(to_weights, "probabilities and two numbers of rows")
    p = np.array([0.2, 0.5, 0.8])
    found = np.asarray(to_weights(p, 100, 100), float)
    require(found.shape == (3,), f"Expected a weight for each of three probabilities, got the shape {found.shape}.")
    require(
        not np.allclose(found * found[1], [4, 1, 0.25]),
        "Those are the odds of the source: what looks like the target would count least.",
    )
    require(not np.allclose(found, p), "Those are the probabilities. The odds are p over 1 − p.")
    odds = np.array([0.25, 1, 4])
    require(np.allclose(found, odds), f"With as many rows on both sides 0.2, 0.5, 0.8 give {odds}, got {found}.")
    uneven = np.asarray(to_weights(p, 200, 50), float)
    require(
        not np.allclose(uneven, odds),
        "With four times as many source rows the odds are a quarter of the ratio: where do the numbers of rows come "
        "in?",
    )
    require(not np.allclose(uneven, odds / 4), "The other way round: more source rows make the odds too *small*.")
    require(np.allclose(uneven, 4 * odds), f"With 200 source and 50 target rows expected {4 * odds}, got {uneven}.")
    return "Odds, times source rows for each target row."


@exercise
def weighted_error(mended) -> str:
    """A function of inputs, labels and weights: the weighted line's cross-validated error on the target."""
    expect_function(mended, "inputs, labels and weights")
    rng = np.random.default_rng(2007)
    # The source is spread as N(0, 1), the target as N(1, 0.7), and the rule is a parabola.
    x = rng.normal(size=(4000, 1))
    y = x[:, 0] ** 2 + 0.3 * rng.normal(size=4000)
    weights = np.exp(-((x[:, 0] - 1) ** 2) / (2 * 0.7**2) + x[:, 0] ** 2 / 2) / 0.7  # their mean is 1
    found = float(mended(x, y, weights))
    require(np.isfinite(found), f"Expected a number, got {found}.")
    require(found > 0, f"Expected a mean squared error, got {found:.2f}: scikit-learn's scores are negative errors.")
    # The best line for the target has the slope 2; what is left is the spread of x² - 2x, and the noise.
    truth = 2 * 0.7**4 + 0.3**2
    plain = float(np.mean((y - np.polyval(np.polyfit(x[:, 0], y, 1, w=np.sqrt(weights)), x[:, 0])) ** 2))
    require(
        abs(found - plain) > 0.15 * plain,
        f"{found:.2f} is what the weighted line misses on the *source*: the fit knows the weights, the score does not.",
    )
    level = float(np.average((y - np.polyval(np.polyfit(x[:, 0], y, 1), x[:, 0])) ** 2, weights=weights))
    require(
        abs(found - level) > 0.15 * level,
        f"{found:.2f} is how a line *without* weights does on the target: the score knows them, the fit does not.",
    )
    require(abs(found - truth) < 0.15 * truth, f"Expected about {truth:.2f} for a parabola of ours, got {found:.2f}.")
    few = rng.choice(4000, 12, replace=False)
    learnt = np.polyval(np.polyfit(x[few, 0], y[few], 1, w=np.sqrt(weights[few])), x[few, 0])
    by_heart = float(np.average((y[few] - learnt) ** 2, weights=weights[few]))
    require(
        not np.isclose(float(mended(x[few], y[few], weights[few])), by_heart),
        "Each row is judged by a line that was fitted to it: cross-validate.",
    )
    return "The fit and the score both count as the target counts."
