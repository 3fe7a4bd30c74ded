"""The checks of chapter 19: a fair baseline, what a second try shows, and what an unsaid "none" costs."""

import itertools

import numpy as np
import pandas as pd
import pytest

from tlcourse.classroom import checks
from tlcourse.classroom.checks import NotYet
from tlcourse.material import data
from tlcourse.methods import statistics

SHOWS = {
    "turned": "method",
    "upside down": "method",
    "noise": "neither",
    "shallow": "neither",
    "shifted": "neither",
    "relabelled": "source",
}
# The misconception that each wrong word gives away.
HINTS = {
    ("turned", "source"): "nobody touched the source",
    ("turned", "neither"): "helps scratch, too",
    ("upside down", "source"): "the same in both columns",
    ("upside down", "neither"): "count from scratch",
    ("noise", "method"): "to harm less is not to help",
    ("noise", "source"): "you know from elsewhere",
    ("shallow", "method"): "less is left that could harm",
    ("shallow", "source"): "all that is tried",
    ("shifted", "method"): "scratch may have its pictures shifted",
    ("shifted", "source"): "all that is tried",
    ("relabelled", "method"): "how one transfers is as it was",
    ("relabelled", "neither"): "is above scratch",
}


@pytest.fixture(scope="module")
def runs():
    return data.recorded("negative_transfer")


@pytest.fixture(scope="module")
def recipes():
    return data.recorded("negative_transfer_recipes")


# --- a baseline that deserves the name -----------------------------------------------------------------------------


def accuracies(table, source, column, value):
    rows = table[(table.target == "digits") & (table.source == source) & (table[column] == value)]
    return dict(zip(rows.seed, rows.accuracy, strict=True))


def test_a_lead_over_plain_scratch_is_none_over_scratch_done_well(runs, recipes, capsys):
    hers = accuracies(runs, "upside down", "treatment", "fine-tuned")
    plain = accuracies(runs, "untrained", "treatment", "fine-tuned")
    shifted = accuracies(recipes, "untrained", "recipe", "shifted")
    assert set(hers) == set(plain) < set(shifted), "five draws of the better recipe have no partner"
    over_plain = statistics.interval([hers[seed] - plain[seed] for seed in hers])
    over_shifted = statistics.interval([hers[seed] - shifted[seed] for seed in hers])
    assert over_plain.low > 0 > over_shifted.high, "the text and the exercise say that both are beyond doubt"
    checks.fair_baseline(round(over_shifted.mean, 1), runs, recipes)
    assert "✓" in capsys.readouterr().out
    for answer, hint in (
        (over_plain.mean, "plain scratch"),
        (np.mean(list(hers.values())) - np.mean(list(shifted.values())), "pair them"),
        (-over_shifted.mean, "other way round"),
        (np.mean(list(hers.values())) - 0.1, "draw by draw"),
    ):
        with pytest.raises(NotYet, match=hint):
            checks.fair_baseline(answer, runs, recipes)


def test_rows_in_any_order_and_further_columns_do_not_matter(runs, recipes):
    shuffled = runs.sample(frac=1, random_state=0).assign(gain=0.0)
    question = checks.fair_baseline.question
    assert question(shuffled, recipes[::-1]).truth == pytest.approx(question(runs, recipes).truth)


# --- what a second try shows ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        SHOWS,
        dict(reversed(SHOWS.items())),
        pd.Series(SHOWS),
        {row: np.str_(word) for row, word in SHOWS.items()},
        {row.title(): f" The {word.upper()} " for row, word in SHOWS.items()},
    ],
    ids=["dict", "other order", "Series", "NumPy's text", "capitals"],
)
def test_what_each_try_shows_is_right_however_it_is_written(answer, capsys):
    checks.what_it_shows(answer)
    assert "✓" in capsys.readouterr().out


def test_every_wrong_word_meets_a_hint_of_its_own_which_keeps_the_right_one_back():
    assert set(HINTS) == {(r, w) for r, w in itertools.product(SHOWS, set(SHOWS.values())) if w != SHOWS[r]}
    for (row, word), hint in HINTS.items():
        with pytest.raises(NotYet) as caught:
            checks.what_it_shows(SHOWS | {row: word})
        said = str(caught.value)
        assert hint in said and said.startswith(f"*{row}*") and SHOWS[row] not in said


def test_who_takes_less_harm_for_help_is_told_so():
    """A number went up in every row, so it was the method every time."""
    with pytest.raises(NotYet, match="to harm less is not to help"):
        checks.what_it_shows(dict.fromkeys(SHOWS, "method"))


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (list(SHOWS.values()), "Expected a dict .*, got a list"),
        ("method", "Expected a dict .*, got a str"),
        (SHOWS.items(), "Expected a dict"),
        ({}, "turned, upside down, noise"),
        ({"turned": "method"}, "say of upside down"),
        (SHOWS | {"inverted": "method"}, "no row inverted"),
        (SHOWS | {"noise": None}, "for noise, got 'none'"),
        (SHOWS | {"noise": 3}, "for noise, got '3'"),
        (SHOWS | {"noise": ["neither"]}, "for noise"),
    ],
)
def test_what_is_no_such_dict_is_named(answer, hint):
    with pytest.raises(NotYet, match=hint):
        checks.what_it_shows(answer)


def test_the_recorded_runs_show_what_the_check_says(runs, recipes):
    """After the change above scratch beyond doubt, or not; before it in no row."""
    steps, depth = data.recorded("negative_transfer_steps"), data.recorded("negative_transfer_depth")
    letters = recipes[recipes.target == "letters"]
    pairs = {
        "turned": [of(runs, "letters", "frozen", target=t) for t in ("inverted letters", "letters")],
        "upside down": [of(runs, "upside down", way, target="digits") for way in ("frozen", "fine-tuned")],
        "noise": [of(runs, "noise", way, target="digits") for way in ("frozen", "fine-tuned")],
        "shallow": [of(depth, "fonts", "frozen", copied=copied, scratch={"copied": 6}) for copied in (6, 2)],
        "shifted": [of(steps, "fonts"), of(letters, "fonts", recipe="shifted")],
        "relabelled": [of(runs, source, "frozen", target="letters") for source in ("random labels", "letters")],
    }
    assert set(pairs) == set(SHOWS)
    for row, (before, after) in pairs.items():
        assert before.low <= 0, row
        assert (after.low > 0) == (SHOWS[row] != "neither"), row


def of(table, source, treatment=None, *, scratch=None, **where):
    """Points of a source over plain scratch under the same conditions, draw by draw."""
    ways = [{"treatment": way} if treatment else {} for way in (treatment, "fine-tuned")]
    sides = [{"source": source, **ways[0], **where}, {"source": "untrained", **ways[1], **where, **(scratch or {})}]
    accuracy = [
        table.loc[(table[list(side)] == pd.Series(side)).all(axis=1)].set_index("seed").accuracy for side in sides
    ]
    return statistics.interval(accuracy[0] - accuracy[1])


# --- what an unsaid "none" costs -----------------------------------------------------------------------------------


def choices(*rows):
    """`chosen` of chapter 19 from rows of LEEP's gain and hindsight's."""
    table = [
        {"rule": rule, "target": "letters", "seed": seed, "gain": gain}
        for seed, row in enumerate(rows)
        for rule, gain in zip(("LEEP", "best in hindsight"), row, strict=True)
    ]
    return pd.DataFrame(table)


def test_an_unsaid_none_by_hand(capsys):
    """Lost are 2 and 4 points where there was nothing to take, 1 and 3 where there was: six of ten."""
    chosen = choices((-2, 0), (-4, 0), (5, 6), (7, 10), (2, 2), (1, 1))
    for answer in (60, 60.0, np.float32(60), np.int64(60)):
        checks.none_unsaid(answer, chosen)
    assert capsys.readouterr().out.count("✓ 60.0 %") == 4
    for answer, hint in (
        (40, "takes a source, too"),
        (0.6, "share between 0 and 1"),
        (180, "Two means"),
        (100 / 3, "So often"),
        (1, "Those are points"),
        (10 / 6, "LEEP leaves in all"),
        (3, "in such a row"),
        (100 * 6 / 19, "what hindsight brings"),
        (55, "Row by row"),
    ):
        with pytest.raises(NotYet, match=hint):
            checks.none_unsaid(answer, chosen)
    with pytest.raises(NotYet, match="Nobody knows that before"):
        checks.none_unsaid(70, choices((-2, 0), (-4, 0), (-1, 0.1), (7, 9.9)))
