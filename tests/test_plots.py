"""Figures say in words what they show, read without colour, leave nothing open, and draw what they are given."""

import base64
import html.parser
import io
import json
import re
from html import unescape
from types import SimpleNamespace

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

mpl.use("agg")

import matplotlib.pyplot as plt  # noqa: E402

from tlcourse.classroom import lettering, plots, teach_it  # noqa: E402


@pytest.fixture(autouse=True)
def clean():
    with mpl.rc_context():
        plots.use_style()
        yield
    plt.close("all")


class Tags(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.words = {}, []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags[tag] = dict(attrs)

    def handle_data(self, data):
        self.words.append(data)


TABLE = pd.DataFrame(
    {"method": ["new", "old", "chance"], "mean": [80.0, 60, 12], "low": [75.0, 58, 12], "high": [85.0, 62, 13]}
)
CURVES = pd.DataFrame({"k": [1, 2, 4] * 2, "method": ["new"] * 3 + ["old"] * 3, "mean": [10.0, 20, 30, 5, 6, 7]})
CURVES["low"], CURVES["high"] = CURVES["mean"] - 2, CURVES["mean"] + 3


def test_a_figure_becomes_one_element_with_alt_text_and_caption():
    ax = plots.axes()
    ax.plot([1, 2])
    page = Tags(plots.as_html(ax.figure, caption='A "rise" of 5 < 6 & more', alt='From "1" to <2> & on'))
    assert page.tags["img"]["alt"] == 'From "1" to <2> & on'
    assert "".join(page.words) == 'A "rise" of 5 < 6 & more'
    kind, data = page.tags["img"]["src"].split(",", 1)
    assert kind == "data:image/png;base64" and base64.b64decode(data).startswith(b"\x89PNG")


@pytest.mark.parametrize("texts", [{"caption": "", "alt": "x"}, {"caption": "x", "alt": " \n"}])
def test_a_figure_without_words_is_refused(texts):
    with pytest.raises(ValueError, match="caption and an alt text"):
        plots.as_html(plots.axes().figure, **texts)


def test_no_figure_is_left_open(capsys):
    plots.as_html(plots.axes().figure, caption="c", alt="a")
    plots.show(plots.axes(), caption="c", alt="a")
    plots.show(plots.axes(2, 2)[0, 0].figure, caption="c", alt="a")
    plots.show(plots.pictures([np.zeros((4, 4))]), caption="c", alt="a")
    assert plt.get_fignums() == []


def test_axes_come_alone_or_in_a_grid():
    assert isinstance(plots.axes(), mpl.axes.Axes)
    assert plots.axes(2, 3).shape == (2, 3)


def test_every_colour_has_a_marker_of_its_own():
    assert len(set(plots.COLOURS)) == len(set(plots.MARKERS)) == len(plots.COLOURS) == len(plots.MARKERS)


def test_intervals_draw_means_and_ends_from_top_to_bottom():
    ax = plots.intervals(plots.axes(), TABLE, "method", unit="accuracy, %")
    assert ax.get_xlabel() == "accuracy, %"
    names = {label.get_text(): tick for label, tick in zip(ax.get_yticklabels(), ax.get_yticks(), strict=True)}
    assert names["new"] > names["old"] > names["chance"]
    for container, row in zip(ax.containers, TABLE.itertuples(), strict=True):
        point, _, (bar,) = container
        assert point.get_xydata().tolist() == [[row.mean, names[row.method]]]
        (low, _), (high, _) = bar.get_segments()[0]
        assert (low, high) == (row.low, row.high)


def test_rows_alike_in_a_column_look_alike():
    table = TABLE.assign(kind=["learnt", "learnt", "none"])
    new, old, chance = (bar[0] for bar in plots.intervals(plots.axes(), table, "method", by="kind").containers)
    looks = [(line.get_color(), line.get_marker()) for line in (new, old, chance)]
    assert looks == [(plots.COLOURS[i], plots.MARKERS[i]) for i in (0, 0, 1)]


def guessed(value, question="How many?"):
    return SimpleNamespace(question=question, low=0, high=100, value=value)


def test_intervals_draw_the_guess_beside_the_truth():
    ax = plots.intervals(plots.axes(), TABLE, "method", guess={"old": guessed(33.0), "new": guessed(None)})
    assert [text.get_text() for text in ax.texts] == ["your guess"]
    (diamond,) = [line for line in ax.lines if line.get_marker() == "d"]
    (x, y), places = diamond.get_xydata()[0], dict(zip(TABLE.method, ax.get_yticks(), strict=True))
    assert x == 33 and min(places, key=lambda name: abs(places[name] - y)) == "old"
    assert not plots.intervals(plots.axes(), TABLE, "method", guess={"old": guessed(None)}).texts


def test_bands_draw_curves_with_their_intervals():
    ax = plots.bands(plots.axes(), CURVES, "k", "method")
    assert ax.get_xlabel() == "k"
    assert [line.get_label() for line in ax.lines] == ["new", "old"]
    assert len({line.get_marker() for line in ax.lines}) == len({line.get_color() for line in ax.lines}) == 2
    for line, band, (_, rows) in zip(ax.lines, ax.collections, CURVES.groupby("method", sort=False), strict=True):
        np.testing.assert_array_equal(line.get_xydata(), rows[["k", "mean"]])
        corners = band.get_paths()[0].vertices
        for side in ("low", "high"):
            assert {tuple(point) for point in rows[["k", side]].to_numpy()} <= {tuple(corner) for corner in corners}


def test_bands_draw_the_guesses_and_name_them_once():
    ax = plots.bands(plots.axes(), CURVES, "k", "method", guess={1: guessed(50.0), 2: guessed(None), 4: guessed(70.0)})
    diamonds = [line for line in ax.lines if line.get_marker() == "d"]
    assert [line.get_xydata().tolist() for line in diamonds] == [[[1, 50]], [[4, 70]]]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["new", "old", "your guess"]


@pytest.mark.parametrize("draw", [plots.bands, plots.intervals])
def test_a_page_learns_where_on_the_picture_a_guess_would_stand(draw):
    """Between the places of the scale's two ends a guess lies as it does between these: where the diamond is drawn."""

    def picture(value):
        named = [CURVES, "k", "method"] if draw is plots.bands else [TABLE, "method"]
        ax = draw(plots.axes(), *named, guess={2 if draw is plots.bands else "old": guessed(value)})
        ax.set(xlim=(0, 100) if draw is plots.intervals else (0, 5), ylim=None if draw is plots.intervals else (0, 100))
        for words in filter(None, [*ax.texts, ax.get_legend()]):
            words.remove()
        html = plots.as_html(ax.figure, caption="What.", alt="What is seen.")
        image = plt.imread(io.BytesIO(base64.b64decode(re.search('base64,([^"]*)', html)[1])))[..., :3]
        return json.loads(unescape(re.search('data-guesses="([^"]*)"', html)[1])), image

    ((place,), without), (_, with_it) = picture(None), picture(70.0)
    assert place["ask"] == "How many?"
    rows, columns = np.nonzero((without != with_it).any(axis=-1))
    there = (columns.min() + columns.max()) / 2 / without.shape[1], (rows.min() + rows.max()) / 2 / without.shape[0]
    told = [low + 0.7 * (high - low) for low, high in zip(place["low"], place["high"], strict=True)]
    assert told == pytest.approx(there, abs=0.01)


def test_a_figure_without_guesses_and_one_on_a_bent_axis_tell_no_place():
    assert "data-guesses" not in plots.as_html(plots.axes().figure, caption="What.", alt="What is seen.")
    ax = plots.intervals(plots.axes(), TABLE, "method", guess={"old": guessed(None)})
    ax.set_xscale("log")
    assert "data-guesses" not in plots.as_html(ax.figure, caption="What.", alt="What is seen.")


@pytest.mark.parametrize("name", ["_x", "$$", "$5 and $6", "a$", "caf\udce9", "\\frac{"])
def test_a_folder_of_any_name_stands_in_legend_axis_and_titles(name):
    """Matplotlib hides `_x`, takes what lies between `$` for a formula, and cannot write what is no Unicode."""
    curves = CURVES.assign(method=CURVES.method.replace("new", name))
    bands = plots.bands(plots.axes(), curves, "k", "method")
    rows = plots.intervals(plots.axes(), TABLE.assign(method=TABLE.method.replace("new", name)), "method")
    (panel,) = plots.panels({name: curves}, lambda ax, table: None)
    grid = plots.pictures([np.zeros((2, 2))], [name], rows=[name])
    legend = [text.get_text() for text in bands.get_legend().get_texts()]
    titles = [text.get_text() for text in grid.axes[0].texts]
    written = [*legend, rows.get_yticklabels()[0].get_text(), panel.get_title(), *titles]
    assert len(legend) == 2
    seen = name.replace("\udce9", "?").replace("$", r"\$")
    assert [text.lstrip("\u200b") for text in written if text != "old"] == [seen] * 5
    for figure in (bands.figure, rows.figure, panel.figure, grid):
        plots.as_html(figure, caption="c", alt="a")


SCRIPTS = {
    "Chinese": "猫和狗", "Thai": "แมวน้ำ", "Hindi": "बिल्ली", "Korean": "고양이", "emoji": "🦊 👩🏽‍🏫 ❤️ 🇩🇪",
    "Arabic": "مرحبا بالعالم", "Hebrew": "שלום עולם", "control": "a\tb\x1b\r",
    "long": "long " * 50, "wide": "猫" * 250,
}  # fmt: skip


@pytest.mark.parametrize("name", SCRIPTS.values(), ids=SCRIPTS)
def test_a_class_named_in_any_script_and_length_stands_in_every_figure_without_a_warning(name, recwarn, caplog):
    curves = CURVES.assign(method=CURVES.method.replace("new", name))
    (panel,) = plots.panels({name: curves}, lambda ax, table: None)
    figures = [
        plots.bands(plots.axes(), curves, "k", "method").figure,
        plots.intervals(plots.axes(), TABLE.assign(method=TABLE.method.replace("new", name)), "method").figure,
        panel.figure,
        # As the last chapter shows a student's own pictures: cut, and one name over another.
        plots.pictures([np.zeros((2, 2))] * 2, [name[:14], f"{name[:14]}?\n{name[:14]}"], rows=[name], columns=2),
    ]
    lesson = SimpleNamespace(name=lambda _: pd.Series({name: 70.0, f"{name} too": 20.0, "other": 10.0}))
    said, drawn = teach_it._verdict(lesson, np.zeros((9, 9, 3), "uint8"))
    assert name in said and "<img" in drawn
    for figure in figures:
        plots.as_html(figure, caption="c", alt="a")
    assert not list(recwarn) and not caplog.messages
    width = [axes.get_position().width for axes in (*figures[0].axes, *figures[1].axes)]
    assert min(width) > 0.4, "a long name takes the axes' place"


def test_a_long_name_keeps_both_ends_and_what_no_font_has_is_named(monkeypatch):
    monkeypatch.setattr(lettering, "MORE_FONTS", ())  # as on a machine without them
    plots.use_style()
    assert lettering.as_written("a" * 48) == "a" * 48 and lettering.as_written("a" * 49) == f"{'a' * 24}…{'a' * 23}"
    assert lettering.as_written("photograph of a cat in the house", most=12) == "photog…house"
    assert lettering.as_written("short\n" + "a" * 60, most=9) == "short\naaaa…aaaa"
    assert lettering.as_written("$" * 9, most=5) == r"\$\$…\$\$"
    assert lettering.as_written("🦊s 中") == "(fox face)s (U+4E2D)"
    assert lettering.as_written("👩🏽") == "(woman)", "what only changes its neighbour says nothing by itself"


def test_two_long_names_that_are_cut_alike_keep_a_bar_each(monkeypatch):
    drawn = []
    monkeypatch.setattr(plots, "as_html", lambda figure, **_: drawn.append(figure) or "")
    names = [f"{'a' * 30}{middle}{'a' * 30}" for middle in "bc"]
    lesson = SimpleNamespace(name=lambda _: pd.Series(dict(zip(names, (70.0, 30.0), strict=True))))
    teach_it._verdict(lesson, np.zeros((9, 9, 3), "uint8"))
    _, bars = drawn[0].axes
    assert [bar.get_width() for bar in bars.patches] == [30, 70] and len({bar.get_y() for bar in bars.patches}) == 2


def test_a_font_that_is_there_draws_what_matplotlibs_own_lacks(monkeypatch):
    monkeypatch.setattr(lettering, "MORE_FONTS", ())
    plots.use_style()
    assert lettering.as_written("Ⓐ") == "(U+24B6)"
    monkeypatch.setattr(lettering, "MORE_FONTS", ("No such font", "STIXGeneral"))  # which comes with matplotlib
    plots.use_style()
    assert lettering.as_written("Ⓐ") == "Ⓐ" and lettering.families()[-1] == "STIXGeneral"
    plots.as_html(plots.pictures([np.zeros((2, 2))], ["Ⓐ"]), caption="c", alt="a")


def test_pictures_lie_in_rows_under_their_titles_and_keep_their_shape():
    """Each in a square of its own, two in a row, none over another or over its title; a wide one stays wide."""
    pictures = [np.full((4, 4, 3), 0, "uint8"), np.full((2, 4, 3), 100, "uint8"), np.full((4, 4, 3), 200, "uint8")]
    (ax,) = plots.pictures(pictures, ["a", "two\nlines", "c"], columns=2, rows=["above", "below"]).axes
    boxes = np.array([image.get_extent() for image in ax.images])  # left, right, bottom, top; down is positive
    for image, picture, (left, right, bottom, top) in zip(ax.images, pictures, boxes, strict=True):
        np.testing.assert_array_equal(image.get_array(), picture)
        assert (bottom - top) / (right - left) == pytest.approx(picture.shape[0] / picture.shape[1])
    assert boxes[0, 1] < boxes[1, 0] and boxes[0, 2] == boxes[1, 2] and boxes[0, 2] < boxes[2, 3]
    *titles, above, below = [(text.get_text(), *text.get_position()) for text in ax.texts]
    sides = [middle for _, middle, _ in (above, below)]
    assert [text for text, *_ in titles] == ["a", "two\nlines", "c"] and max(sides) < 0
    assert all(y < box[3] and box[0] < x < box[1] for (_, x, y), box in zip(titles, boxes, strict=True))
    assert boxes[0, 3] < above[2] < boxes[0, 2] and boxes[2, 3] < below[2] < boxes[2, 2]


def test_a_row_without_titles_takes_no_room_for_them():
    def high(*titles):
        return plots.pictures([np.zeros((2, 2))] * 2, titles, columns=1).get_size_inches()[1]

    assert high("", "") == 2 < high("a", "") < high("a", "b") < high("a\nb", "b")


def test_floats_up_to_255_are_shown_as_they_are():
    figure = plots.pictures([np.full((2, 2, 3), 200.0)])
    assert figure.axes[0].images[0].get_array().max() == 200


def test_the_same_grey_looks_the_same_in_every_picture():
    """A faint digit has to look faint: no picture is stretched to its own darkest and brightest."""
    faint, strong = np.array([[0, 50], [0, 0]], "uint8"), np.array([[0, 50], [255, 0]], "uint8")
    greys = [image.to_rgba(image.get_array())[0, 1] for image in plots.pictures([faint, strong]).axes[0].images]
    np.testing.assert_array_equal(*greys)


@pytest.mark.parametrize("arguments", [([],), ([np.zeros((2, 2))], ["a", "b"]), ([np.zeros((2, 2))], [])])
def test_no_pictures_or_other_titles_are_refused(arguments):
    with pytest.raises(ValueError, match="as many titles"):
        plots.pictures(*arguments)


def test_panels_draw_each_table_on_axes_of_its_own_and_alike():
    drawn = {}
    tables = {"one": CURVES[:2], "two": CURVES[2:], "three": CURVES}
    grid = plots.panels(tables, lambda ax, table: drawn.setdefault(ax, table), columns=2, xlim=(0, 9), ylabel="points")
    assert [ax.get_title() for ax in grid] == list(tables) and len(grid[0].figure.axes) == 3
    assert all(drawn[ax] is table for ax, table in zip(grid, tables.values(), strict=True))
    assert {ax.get_xlim() for ax in grid} == {(0, 9)} and len({ax.get_ylim() for ax in grid}) == 1
    assert [ax.get_ylabel() for ax in grid] == ["points", "", "points"]


def test_panels_without_tables_are_refused():
    with pytest.raises(ValueError, match="at least one table"):
        plots.panels({}, plots.bands)


def test_letters_grow_with_the_size_that_matplotlibrc_asks_for(monkeypatch):
    def sizes():
        plots.use_style()
        figure = plots.pictures([np.zeros((4, 4))], ["dot"])
        ax = plots.axes()
        return np.array([figure.axes[0].texts[0].get_size(), ax.title.get_size(), ax.xaxis.label.get_size()])

    usual = sizes()
    assert usual == pytest.approx([8, 10.5, 10.5])
    monkeypatch.setitem(mpl.rcParamsOrig, "font.size", 12)
    assert sizes() == pytest.approx(1.2 * usual)
    assert sizes() == pytest.approx(1.2 * usual), "a second call makes them larger still"
