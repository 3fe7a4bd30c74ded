"""The scoreboard: verdicts follow from intervals by rule, and only claims that are written down are recorded."""

import dataclasses
import json

import numpy as np
import pytest

from tlcourse.classroom import scoreboard
from tlcourse.material import assets
from tlcourse.methods import statistics
from tlcourse.methods.statistics import Interval

FILES = {
    "interest": """
[points]
interest = 1.0
why = "nobody changes a method for less"
["%"]
interest = 5.0
why = "one picture in twenty"
""",
    "00": """
chance = "draws on these pictures"

[[claim]]
id = "above"
statement = "Transfer is better."
lecture = "SIBGRAPI"
measure = "gain"
unit = "points"
published = 5.0

[[claim]]
id = "duration"
statement = "It takes ten minutes."
lecture = "BSC"
measure = "time"
unit = "minutes"
withdrawn = "a duration"
""",
    "01": """
[[claim]]
id = "below"
statement = "Error is below ½ – “always”."
lecture = "BSC"
measure = "error"
unit = "%"
interest = 2.0
why = "a reason of its own"
chance = "new pictures"
null = 50.0
direction = "below"
""",
}
ABOVE, BELOW = Interval(4.5, 2.0, 7.0, 10), Interval(40.0, 38.0, 42.0, 5, 0.5)
UNTOLD = Interval(2.0, -0.2, 4.2, 10)


@pytest.fixture
def place(tmp_path, monkeypatch):
    (tmp_path / "claims").mkdir()
    for name, text in FILES.items():
        (tmp_path / "claims" / f"{name}.toml").write_text(text, encoding="utf-8")
    monkeypatch.setattr(assets, "DATA", tmp_path)
    monkeypatch.setattr(scoreboard, "COURSE", tmp_path / "recorded")
    monkeypatch.setenv("TLCOURSE_SCOREBOARD", str(tmp_path / "recorded"))
    return tmp_path


# --- the rule ----------------------------------------------------------------------------------------------------


def claim(**fields):
    texts = dict.fromkeys(("id", "chapter", "statement", "lecture", "measure", "unit"), "")
    return scoreboard.Claim(**texts, **{"interest": 1.0, **fields})


def as_seen(measured, published=None, *, side=1, shift=0.0, scale=1.0, **fields):
    """The verdict on a measurement that is mirrored, moved and counted in another unit, with its claim."""
    mean, *ends = (scale * (side * value + shift) for value in measured)
    figure = None if published is None else scale * (side * published + shift)
    direction = {"direction": "above" if side > 0 else "below", **fields}
    about = claim(**direction, published=figure, null=scale * shift, interest=scale)
    return scoreboard.verdict(about, Interval(mean, min(ends), max(ends), 10))


@pytest.mark.parametrize(
    ("mean", "low", "high", "published", "verdict"),
    [
        (5, 1, 9, None, "reproduced"),
        (5, 1, 9, 5.5, "reproduced"),
        (5, 1, 9, 6.0, "reproduced"),  # one off, and one is the interest
        (5, 1, 9, 7.0, "same direction"),  # though the interval holds the figure
        (5, 1, 9, 3.5, "same direction"),
        (1, 0.25, 1.75, None, "reproduced"),  # the mean reaches the interest
        (0.75, 0.25, 1.25, None, "same direction"),
        (0.75, 0.25, 1.25, 1.5, "reproduced"),
        (0.5, 0.25, 0.75, None, "bounded"),
        (0.5, 0.25, 0.75, 0.5, "bounded"),  # less than anybody cares about comes first, whatever was published
        (0, -0.75, 0.75, None, "bounded"),
        (-0.5, -0.75, -0.25, None, "bounded"),
        (0, 0, 0, None, "bounded"),
        (0.5, 0, 1, None, "cannot tell"),  # an effect of the interest itself matters, and zero is no effect
        (4, -1, 9, 5.0, "cannot tell"),
        (4, 0, 8, None, "cannot tell"),
        (-4, -9, 1, None, "cannot tell"),
        (-4, -8, 0, None, "cannot tell"),
        (-5, -9, -1, None, "contradicted"),
        (-5, -9, -1, -5.0, "contradicted"),  # even where the figure is met: the claim is about the direction
        (-0.75, -1.25, -0.25, None, "contradicted"),
    ],
)
def test_the_verdict_follows_from_the_interval(mean, low, high, published, verdict):
    for view in ({}, {"side": -1}, {"shift": 50}, {"scale": 8}, {"side": -1, "shift": -3, "scale": 0.125}):
        assert as_seen((mean, low, high), published, **view) == verdict, view


@pytest.mark.parametrize(
    ("mean", "low", "high", "verdict"),
    [
        (0.5, 0.25, 0.75, "bounded"),  # fulfils it
        (0.5, -0.25, 1.25, "cannot tell"),
        (0.75, 0.25, 1.25, "cannot tell"),  # it differs, but perhaps by less than matters
        (2, 1.0, 3, "cannot tell"),
        (2, 1.25, 2.75, "contradicted"),
        (-2, -2.75, -1.25, "contradicted"),
    ],
)
def test_what_is_said_to_be_equal_is_fulfilled_by_a_bound(mean, low, high, verdict):
    for view in ({}, {"side": -1}, {"shift": 50}, {"scale": 8}):
        assert as_seen((mean, low, high), direction="equal", **view) == verdict, view


SETTLED = {"bounded": 2, "reproduced": 1, "same direction": 1, "contradicted": 1, "cannot tell": 0}


@pytest.mark.parametrize("direction", ["above", "below", "equal"])
def test_a_wider_interval_never_earns_a_better_verdict(direction):
    """Better is what settles more: first the side, then the size. Which side it is, the mean says."""
    rng, seen = np.random.default_rng(0), set()
    for _ in range(500):
        mean, figure = rng.normal(0, 2, 2)
        about = claim(published=rng.choice([None, figure]), interest=rng.exponential(), direction=direction)
        ends = np.cumsum(rng.exponential(0.4, (12, 2)), axis=0)  # each interval holds the one before
        passed = [scoreboard.verdict(about, Interval(mean, mean - a, mean + b, 10)) for a, b in ends]
        settled = [SETTLED[verdict] for verdict in passed]
        assert settled == sorted(settled, reverse=True)
        assert len({verdict for verdict in passed if SETTLED[verdict] == 1}) <= 1
        seen |= set(passed)
    assert seen == ({"bounded", "contradicted", "cannot tell"} if direction == "equal" else set(SETTLED))


def test_a_claim_that_was_withdrawn_gets_no_verdict():
    assert scoreboard.verdict(claim(withdrawn="no chance in it"), Interval(100, 100, 100, 5)) is None


# --- recording ---------------------------------------------------------------------------------------------------


def test_what_is_recorded_is_read_again(place):
    row = scoreboard.record("above", ABOVE, where="recorded")
    assert (row.verdict, row.seeds, row.interest, row.chance) == ("reproduced", 10, 1.0, "draws on these pictures")
    below = scoreboard.record("below", BELOW)
    assert (below.chapter, below.interest, below.where) == ("01", 2.0, "live")
    assert below.statement == "Error is below ½ – “always”."
    assert scoreboard.rows() == [row, below]
    assert scoreboard.table().verdict.tolist() == ["reproduced", "reproduced"]


def test_the_rule_and_the_claims_of_today_judge_what_was_stored(place):
    scoreboard.record("above", ABOVE)
    path = place / "claims" / "00.toml"
    path.write_text(path.read_text().replace("published = 5.0", "published = 9.0"))
    assert [(row.published, row.verdict) for row in scoreboard.rows()] == [(9.0, "same direction")]


def test_recording_again_replaces_the_row(place):
    scoreboard.record("above", ABOVE)
    scoreboard.record("above", Interval(-4.0, -6.0, -2.0, 20))
    assert [(row.verdict, row.seeds) for row in scoreboard.rows()] == [("contradicted", 20)]
    assert [path.name for path in (place / "recorded").iterdir()] == ["above.json"]


def test_a_students_rows_do_not_touch_the_courses(place, monkeypatch):
    monkeypatch.delenv("TLCOURSE_SCOREBOARD")
    monkeypatch.setattr(assets, "CACHE", place / "cache")
    scoreboard.record("above", ABOVE)
    assert scoreboard.rows() == [] and len(scoreboard.rows(place / "cache" / "scoreboard")) == 1


def test_a_scoreboard_that_cannot_be_written_costs_no_chapter(place, monkeypatch):
    (place / "file").write_text("")
    monkeypatch.setenv("TLCOURSE_SCOREBOARD", str(place / "file"))
    with pytest.warns(UserWarning, match="above is not kept: .*file cannot be written"):
        assert scoreboard.record("above", ABOVE).verdict == "reproduced"


def test_what_cannot_be_told_says_how_many_draws_would_settle_it(place):
    row = scoreboard.record("above", UNTOLD)
    assert row.verdict == "cannot tell" and 10 < row.needed < 40
    assert f"**cannot tell**: about {row.needed} draws would settle it |" in row._repr_markdown_()
    row = scoreboard.record("below", Interval(45.0, 38.0, 52.0, 50, 0.5))
    assert (row.verdict, row.needed) == ("cannot tell", None)
    assert "**cannot tell**: not with these pictures |" in row._repr_markdown_()
    assert scoreboard.record("above", ABOVE).needed is None  # what is settled needs no more


def test_to_settle_that_two_are_equal_takes_a_bound():
    """Off zero alone settles a claim of a difference; a claim of equality goes on to the interest."""
    measured = Interval(0.7, -0.2, 1.6, 10)
    above, equal = (scoreboard.judge(claim(direction=way), measured, "live") for way in ("above", "equal"))
    assert above.verdict == equal.verdict == "cannot tell" and 2 * above.needed < equal.needed


def test_nobody_draws_for_ever():
    """An effect that is small against its spread is out of reach long before the formula gives up."""
    tiny = Interval(0.2, -6.0, 6.4, 10)
    assert statistics.draws_needed(tiny, claim().interest, null=claim().null) > scoreboard.MOST_DRAWS
    row = scoreboard.judge(claim(), tiny, "live")
    assert row.verdict == "cannot tell" and row.needed is None
    assert "not with these pictures" in row._repr_markdown_()


def test_nobody_can_draw_more_units_than_there_are():
    needed = scoreboard.judge(claim(), UNTOLD, "live").needed
    assert scoreboard.judge(claim(units=needed), UNTOLD, "live").needed == needed
    assert scoreboard.judge(claim(units=needed - 1), UNTOLD, "live").needed is None


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("abov", Interval(4, 2, 6, 10)), "above, duration, below, got 'abov': add it to data/claims"),
        (("above", Interval(4, 2, 6, 10), "typed"), "got 'typed'"),
        (("above", Interval(float("nan"), float("nan"), float("nan"), 10)), "around its mean"),
        (("above", Interval(4, 6, 2, 10)), "around its mean"),
        (("above", Interval(4, 2, 6, 10, 0.5)), "speaks of draws on these pictures, got overlap=0.5"),
        (("below", Interval(4, 2, 6, 10)), "speaks of new pictures, got overlap=0: pass the overlap"),
    ],
)
def test_record_refuses(place, arguments, says):
    with pytest.raises(ValueError, match=says):
        scoreboard.record(*arguments[:2], where=(*arguments, "live")[2])
    assert scoreboard.rows() == []


# --- showing -----------------------------------------------------------------------------------------------------


def test_json_has_the_fields_that_were_promised(place):
    scoreboard.record("below", BELOW)
    (row,) = json.loads(scoreboard.as_json())
    assert list(row) == [field.name for field in dataclasses.fields(scoreboard.Row)]
    assert " ".join(row) == (
        "id chapter statement lecture published measured low high unit interest chance seeds needed where verdict"
    )
    assert (row["published"], row["needed"], row["verdict"]) == (None, None, "reproduced")
    assert "“always”" in row["statement"] and scoreboard.as_json().isascii()  # a redirect on Windows has no UTF-8


def test_the_text_counts_verdicts_and_names_what_is_missing(place):
    assert "Not measured yet: above, duration, below." in scoreboard.as_text()
    scoreboard.record("below", BELOW)
    text = scoreboard.as_text()
    assert "1 reproduced, 0 same direction, 0 bounded, 0 cannot tell, 0 contradicted; 1 withdrawn." in text
    assert "Not measured yet: above, duration." in text
    scoreboard.record("above", UNTOLD)
    scoreboard.record("duration", Interval(1, 1, 1, 3))
    text = scoreboard.as_text()
    assert "Cannot tell: 50 % of those with a verdict." in text and "Not measured" not in text


def test_the_text_says_how_many_false_alarms_to_expect(place):
    first = "[[claim]]" + FILES["00"].split("[[claim]]")[1]
    many = [first.replace('"above"', f'"above-{number}"') for number in range(60)]
    (place / "claims" / "00.toml").write_text("\n".join(['chance = "draws"', *many]))
    for number in range(60):
        scoreboard.record(f"above-{number}", ABOVE)
    assert "Of 60 intervals at 95 %, about 3 would show an effect if nothing were true." in scoreboard.as_text()


def test_a_notebook_shows_the_published_figure_beside_the_measured_one(place):
    shown = scoreboard.record("above", ABOVE)._repr_markdown_()
    measured = "4.5 points, 95 % interval 2 to 7, n = 10 (draws on these pictures), live"
    assert f"| 5 points | {measured} | **reproduced** |" in shown
    rows = shown.splitlines()
    assert len(rows) == 3 and len({row.count("|") for row in rows}) == 1
    assert "no figure" in scoreboard.record("below", BELOW)._repr_markdown_()
    bounded = scoreboard.record("above", Interval(0.1, -0.5, 0.7, 10))._repr_markdown_()
    assert "**bounded**: less than 1 points |" in bounded


def test_what_was_withdrawn_shows_its_number_and_the_reason(place):
    shown = scoreboard.record("duration", Interval(0.045, 0.02, 0.07, 3, 0.5))._repr_markdown_()
    assert shown.endswith("| no figure | 0.045 minutes, n = 3, live | no verdict: a duration |")
    (row,) = json.loads(scoreboard.as_json())
    assert (row["verdict"], row["interest"], row["chance"]) == (None, None, "none")


@pytest.mark.parametrize("name", ["interest", "01"])
@pytest.mark.parametrize("damage", ["", "[[claim]", "[[claim]]\nid = 1\nunit = 'points'", "claim = 3", b"\xff", None])
def test_damaged_claims_are_one_sentence(place, name, damage):
    path = place / "claims" / f"{name}.toml"
    path.unlink()
    if damage is None:
        path.mkdir()
    else:
        path.write_bytes(damage.encode() if isinstance(damage, str) else damage)
    with pytest.raises(assets.AssetError, match=".toml cannot be read .*: run `git restore data/claims`"):
        scoreboard.claims()


@pytest.mark.parametrize("damage", ["", "{", "[]", "{}", '{"where": "live", "mean": 1}', '{"id": "above", "seeds": 3}',
                                    {"mean": float("nan")}, {"low": 9.0}, {"high": "9"}])  # fmt: skip
def test_a_damaged_measurement_is_one_sentence_and_no_verdict(place, damage):
    scoreboard.record("above", ABOVE)
    file = place / "recorded" / "above.json"
    whole = json.loads(file.read_text())
    file.write_text(damage if isinstance(damage, str) else json.dumps(whole | damage))
    with pytest.raises(assets.AssetError, match=r"above.json cannot be read .*: run chapter 00 again"):
        scoreboard.rows()


# --- the course's own --------------------------------------------------------------------------------------------


def test_the_courses_claims_can_be_judged():
    claims = scoreboard.claims()
    texts = [path.read_text(encoding="utf-8") for path in (assets.DATA / "claims").glob("*.toml")]
    assert len(claims) == sum(text.count("[[claim]]") for text in texts), "two claims of one name"
    for one in claims.values():
        assert all((one.chapter, one.statement, one.lecture, one.measure, one.unit))
        assert one.withdrawn or (one.interest > 0 and one.why and one.chance != "none")
        assert one.direction in ("above", "below", "equal")
        side = {"above": 1, "below": -1, "equal": 0}[one.direction]
        assert one.published is None or side * (one.published - one.null) >= 0, "the figure contradicts its own claim"


def test_the_courses_measurements_speak_of_what_their_claims_say(tmp_path, monkeypatch):
    """Each stored interval could be recorded again, and none is left of a claim that is gone."""
    claims, stored = scoreboard.claims(), sorted(scoreboard.COURSE.iterdir())
    assert {path.stem for path in stored} <= set(claims)
    monkeypatch.setenv("TLCOURSE_SCOREBOARD", str(tmp_path))
    for path in stored:
        measured = json.loads(path.read_text(encoding="utf-8"))
        where = measured.pop("where")
        scoreboard.record(path.stem, Interval(**measured), where=where)
