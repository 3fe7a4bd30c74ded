"""The scoreboard: verdicts follow from intervals by rule, and only claims that are written down are recorded."""

import dataclasses
import json

import numpy as np
import pytest

from tlcourse.classroom import scoreboard
from tlcourse.material import assets
from tlcourse.methods.statistics import Interval

CLAIMS = """
[[claim]]
id = "above"
chapter = "00"
statement = "Transfer is better."
lecture = "SIBGRAPI"
measure = "gain"
unit = "points"
published = 5.0

[[claim]]
id = "below"
chapter = "01"
statement = "Error is below ½ – “always”."
lecture = "BSC"
measure = "error"
unit = "%"
null = 50.0
direction = "below"
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    (tmp_path / "claims.toml").write_text(CLAIMS, encoding="utf-8")
    monkeypatch.setattr(assets, "DATA", tmp_path)
    monkeypatch.setattr(scoreboard, "COURSE", tmp_path / "recorded")
    monkeypatch.setenv("TLCOURSE_SCOREBOARD", str(tmp_path / "recorded"))
    return tmp_path


def measured(low, high):
    return Interval((low + high) / 2, low, high, 10)


def claim(**fields):
    texts = dict.fromkeys(("id", "chapter", "statement", "lecture", "measure", "unit"), "")
    return scoreboard.Claim(**texts, **fields)


@pytest.mark.parametrize(
    ("low", "high", "published", "verdict"),
    [
        (1, 9, 5.0, "reproduced"),
        (1, 9, None, "reproduced"),
        (1, 9, 9.0, "reproduced"),  # the published figure on the very edge is held
        (1, 9, 1.0, "reproduced"),
        (1, 4, 5.0, "same direction"),
        (6, 9, 5.0, "same direction"),
        (-1, 9, 5.0, "not at this scale"),
        (-1, 9, None, "not at this scale"),
        (0, 9, 5.0, "not at this scale"),  # "no effect" on the very edge is held too
        (-9, 0, 5.0, "not at this scale"),
        (0, 0, None, "not at this scale"),
        (-9, -1, 5.0, "contradicted"),
        (-9, -1, None, "contradicted"),
        (-9, -1, -5.0, "contradicted"),  # even where the figure is held, for the claim is about the direction
    ],
)
def test_the_verdict_follows_from_the_interval(low, high, published, verdict):
    assert scoreboard.verdict(claim(published=published), measured(low, high)) == verdict
    # The same, mirrored, for a claim that something is below; and moved, for a null that is not zero.
    mirrored = claim(published=None if published is None else -published, direction="below")
    assert scoreboard.verdict(mirrored, measured(-high, -low)) == verdict
    moved = claim(published=None if published is None else published + 50, null=50)
    assert scoreboard.verdict(moved, measured(low + 50, high + 50)) == verdict


def test_every_interval_has_one_of_the_four_verdicts():
    rng = np.random.default_rng(0)
    for _ in range(200):
        low, high = sorted(rng.normal(size=2))
        published = rng.choice([None, rng.normal()])
        assert scoreboard.verdict(claim(published=published), measured(low, high)) in scoreboard.VERDICTS


def test_what_is_recorded_is_read_again(place):
    row = scoreboard.record("above", Interval(4.0, 2.0, 6.0, 10), where="recorded")
    assert row.verdict == "reproduced" and row.seeds == 10 and row.statement == "Transfer is better."
    scoreboard.record("below", Interval(49.0, 47.0, 51.0, 5))
    assert scoreboard.rows() == [row, scoreboard.rows()[1]]
    assert scoreboard.table().verdict.tolist() == ["reproduced", "not at this scale"]
    assert scoreboard.rows()[1].statement == "Error is below ½ – “always”."


def test_recording_again_replaces_the_row(place):
    scoreboard.record("above", Interval(4.0, 2.0, 6.0, 10))
    scoreboard.record("above", Interval(-4.0, -6.0, -2.0, 20))
    assert [(row.verdict, row.seeds) for row in scoreboard.rows()] == [("contradicted", 20)]
    assert [path.name for path in (place / "recorded").iterdir()] == ["above.json"]


def test_a_students_rows_do_not_touch_the_courses(place, monkeypatch):
    monkeypatch.delenv("TLCOURSE_SCOREBOARD")
    monkeypatch.setattr(assets, "CACHE", place / "cache")
    scoreboard.record("above", Interval(4.0, 2.0, 6.0, 10))
    assert scoreboard.rows() == [] and len(scoreboard.rows(place / "cache" / "scoreboard")) == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("abov", Interval(4, 2, 6, 10)), "above, below, got 'abov': add it to data/claims.toml"),
        (("above", Interval(4, 2, 6, 10), "typed"), "got 'typed'"),
        (("above", Interval(float("nan"), float("nan"), float("nan"), 10)), "around its mean"),
        (("above", Interval(4, 6, 2, 10)), "around its mean"),
    ],
)
def test_record_refuses(place, arguments, says):
    with pytest.raises(ValueError, match=says):
        scoreboard.record(*arguments[:2], where=(*arguments, "live")[2])
    assert scoreboard.rows() == []


def test_json_has_the_fields_of_a_row(place):
    scoreboard.record("below", Interval(40.0, 38.0, 42.0, 5))
    (row,) = json.loads(scoreboard.as_json())
    assert set(row) == {field.name for field in dataclasses.fields(scoreboard.Row)}
    assert row["published"] is None and row["verdict"] == "reproduced" and row["where"] == "live"
    assert "“always”" in scoreboard.as_json()


def test_the_text_counts_verdicts_and_names_what_is_missing(place):
    assert "Not measured yet: above, below." in scoreboard.as_text()
    scoreboard.record("below", Interval(40.0, 38.0, 42.0, 5))
    text = scoreboard.as_text()
    assert "1 reproduced, 0 same direction, 0 not at this scale, 0 contradicted" in text
    assert "Not measured yet: above." in text
    scoreboard.record("above", Interval(4.0, 2.0, 6.0, 10))
    assert "Not measured" not in scoreboard.as_text()


def test_a_notebook_shows_the_published_figure_beside_the_measured_one(place):
    shown = scoreboard.record("above", Interval(4.0, 2.0, 6.0, 10))._repr_markdown_()
    assert "| 5 points | 4 points, 95 % interval 2 to 6, n = 10, live | **reproduced** |" in shown
    rows = shown.splitlines()
    assert len(rows) == 3 and len({row.count("|") for row in rows}) == 1
    assert "no figure" in scoreboard.record("below", Interval(40.0, 38.0, 42.0, 5))._repr_markdown_()


@pytest.mark.parametrize("damage", ["", "[[claim]", None])
def test_damaged_claims_are_one_sentence(place, damage):
    path = place / "claims.toml"
    path.unlink() if damage is None else path.write_text(damage)
    with pytest.raises(assets.AssetError, match="git restore data/claims.toml"):
        scoreboard.claims()


def test_the_courses_claims_can_be_judged():
    claims = scoreboard.claims()
    assert claims
    for claim_id, one in claims.items():
        assert claim_id == one.id and one.direction in ("above", "below")
        assert all((one.chapter, one.statement, one.lecture, one.measure, one.unit))
        side = 1 if one.direction == "above" else -1
        assert one.published is None or side * (one.published - one.null) >= 0, "the figure contradicts its own claim"


def test_the_courses_rows_have_the_verdicts_of_today():
    """Whoever changes a claim or the rule has to run the notebooks again."""
    claims = scoreboard.claims()
    for row in scoreboard.rows():
        assert row.verdict == scoreboard.verdict(claims[row.id], Interval(row.measured, row.low, row.high, row.seeds))
        assert (row.statement, row.published) == (claims[row.id].statement, claims[row.id].published)
