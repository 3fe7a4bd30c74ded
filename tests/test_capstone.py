"""What the last chapter gives a student: her folder is used or a sentence says why not; her page obeys no name."""

import os
import re
from urllib.parse import unquote

import nbformat
import numpy as np
import pandas as pd
import pytest
from inline import definition
from PIL import Image
from scipy import stats

from tlcourse.classroom import own_pictures, report, rows, scoreboard
from tlcourse.methods import domain_distance, statistics
from tlcourse.workshop import NOTEBOOKS

NAMES = ("<script>alert('x')</script>", 'a "b" & c', "птица $x$ _鳥")


@pytest.fixture
def folder(tmp_path):
    """Makes a folder of so many pictures for each name."""

    def make(**counts):
        for name, count in counts.items():
            (tmp_path / name).mkdir()
            for i in range(count):
                pixels = np.random.default_rng(i).integers(256, size=(20, 30, 3)).astype("uint8")
                Image.fromarray(pixels).save(tmp_path / name / f"{i}.png")
        return tmp_path

    return make


def load(path, most=600):
    return own_pictures.load(path, least=5, most=most)


def test_a_folder_is_used_as_it_is_named(folder, capsys):
    # A slash cannot stand in a name of a folder.
    names = [name.replace("/", "⁄") for name in NAMES]
    x, y, classes = load(folder(**dict.fromkeys(names, 6)))
    assert sorted(classes) == sorted(names) and np.bincount(y).tolist() == [6, 6, 6] and x.shape == (18, 128, 128, 3)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("counts", "why"),
    [
        ({}, "has no folders in it"),
        ({"one": 9}, "has one class only"),
        ({"two": 2, "one": 1}, "The class 'one' has 1 pictures and needs 5"),
        ({"enough": 9, "few": 4}, "The class 'few' has 4 pictures and needs 5"),
    ],
)
def test_a_folder_that_will_not_do_costs_a_sentence(folder, counts, why, capsys):
    made = folder(**counts)
    before = sorted(made.rglob("*"))
    _, _, classes = load(made)
    said = capsys.readouterr().out
    assert "fruit" in classes and why in said and said.count("\n") == 1
    assert sorted(made.rglob("*")) == before


def test_no_folder_at_all_costs_a_sentence_too(tmp_path, capsys):
    assert "fruit" in load(tmp_path / "nowhere")[2]
    assert "There is no folder" in capsys.readouterr().out


def test_an_empty_name_costs_a_sentence_and_none_at_all_is_ours(capsys):
    assert "fruit" in load("")[2]
    assert "Expected the path of a folder, got ''" in capsys.readouterr().out
    assert "fruit" in load(None)[2] and capsys.readouterr().out == ""


def test_of_many_pictures_each_class_gives_as_many(folder):
    _, y, _ = load(folder(many=40, few=7), most=24)
    assert np.bincount(y).tolist() == [7, 12]  # few, many


def test_a_page_shows_names_and_never_obeys_them():
    facts = dict.fromkeys(NAMES, NAMES[0])
    page = report.page(NAMES[0], [facts, pd.DataFrame({"label": NAMES}), '<img alt="a figure" src="data:,">'])
    assert re.findall(r"<(script|img)\b", page) == ["img"]
    assert page.count("&lt;script&gt;") == 7 and "http" not in page  # title twice, four in facts, one row


def test_a_name_that_is_no_unicode_can_be_saved(tmp_path):
    path = report.save(report.page("b\udce9", [{"c\udce9": "d\udce9"}, pd.DataFrame({"e": ["\udce9"]})]), tmp_path)
    assert path.read_text(encoding="utf-8").count("?") == 5


def test_no_page_takes_the_place_of_another(tmp_path):
    (tmp_path / "report.html").write_text("hers", encoding="utf-8")
    assert [report.save(text, tmp_path).name for text in ("a", "b")] == ["report-2.html", "report-3.html"]
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == "hers"


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(ValueError, match="Expected a folder that can be written to"):
        report.save("page", tmp_path / "file")


def test_every_claim_leads_to_the_cell_that_says_it():
    board = scoreboard.table()
    cells = {
        f"{path.name}#cell-id={cell.id}": str(cell)
        for path in NOTEBOOKS.glob("*.ipynb")
        for cell in nbformat.read(path, as_version=4).cells
    }
    for place, row in zip(rows.places(board, NOTEBOOKS), board.itertuples(), strict=True):
        assert place in cells, row.id
        assert row.statement.split("“")[0][:60].replace('"', '\\"') in cells[place], (row.id, place)


def test_a_claim_whose_cell_is_not_there_leads_to_its_chapter_or_nowhere(tmp_path):
    claim = pd.DataFrame({"id": ["x"], "chapter": ["07"]})
    assert rows.places(claim, tmp_path) == [""]
    for text in ("{}", "<<<<<<< mine", '{"cells": []}'):
        (tmp_path / "07_mine.ipynb").write_text(text, encoding="utf-8")
        assert rows.places(claim, tmp_path) == ["07_mine.ipynb"]


@pytest.mark.skipif(os.name == "nt", reason="no file may be called so there")
def test_a_link_is_one_whatever_the_chapter_is_called(tmp_path):
    (tmp_path / "07_a \"b\" & 'c' (old) #1 птица.ipynb").write_text("{}", encoding="utf-8")
    (place,) = rows.places(pd.DataFrame({"id": ["x"], "chapter": ["07"]}), tmp_path)
    assert re.fullmatch(r"[\w.%-]+", place, re.ASCII) and unquote(place) == next(tmp_path.iterdir()).name


def test_distance_of_chapter_09():
    a, b = np.random.default_rng(9).normal(size=(2, 40, 3))
    for apart in (0, 1, 9):
        assert domain_distance.a_distance(a, b + apart) == pytest.approx(definition("09", "a_distance")(a, b + apart))
    assert domain_distance.a_distance(a, b + 99) == 2
    with pytest.raises(ValueError, match="same columns"):
        domain_distance.a_distance(a, b[:, :2])


def test_correction_of_chapter_20():
    """As SciPy does it, and of 200 empty claims among 800 a twentieth of what is kept at most."""
    correct, rng = definition("20", "benjamini_hochberg"), np.random.default_rng(20)
    shares = []
    for _ in range(100):
        shift = np.repeat([0.0, 3.5], [200, 600])
        p = 2 * stats.norm.sf(np.abs(rng.normal(shift)))
        kept = correct(p)
        assert (kept == (stats.false_discovery_control(p) <= 0.05)).all()
        shares.append(kept[:200].sum() / max(1, kept.sum()))
    assert 0 < np.mean(shares) < 0.05
    assert not correct([0.5, 0.9]).any()


def test_ridge_of_chapter_20():
    """The two matrices are scikit-learn's ridge regression of the labels, with the mean of each class taken off."""
    from sklearn.linear_model import Ridge

    rng = np.random.default_rng(8)
    f, labels, new = rng.normal(size=(30, 50)), rng.integers(3, size=30), rng.normal(size=(200, 50))
    wanted = np.eye(3)[labels]
    fitted = Ridge(alpha=0.1, fit_intercept=False).fit(f, wanted - wanted.mean(axis=0))
    said = (fitted.predict(new) + wanted.mean(axis=0)).argmax(axis=1)
    assert (definition("20", "ridge", classes="abc")(f, labels, new) == said).all()


def grouped(*sizes, classes=3):
    """Things of these sizes in each class: which thing a picture shows, and its label."""
    thing = np.repeat(np.arange(classes * len(sizes)), np.tile(sizes, classes))
    return thing, thing // len(sizes)


def test_the_first_border_that_leaves_enough_is_taken():
    few, y = grouped(*[10] * 4)  # four things a class
    large, _ = grouped(24, *[1] * 16)  # enough things, but one of them is a fifth of all
    enough, _ = grouped(*[2] * 20)
    border = own_pictures.first_border({0.8: few, 0.85: large, 0.9: enough, 0.95: np.arange(len(y))}, y, least=5)
    assert border == 0.9


def test_too_few_different_things_cost_a_sentence():
    thing, y = grouped(*[2] * 5, classes=2)  # ten things, of which three would test
    with pytest.raises(ValueError, match="Expected 5 different things in each class, 10 to test on"):
        own_pictures.first_border({0.9: thing}, y, least=5)


def test_ten_of_ten_are_no_proof_of_all():
    sure = own_pictures.widened(statistics.Interval(100.0, 100.0, 100.0, 10))
    assert round(sure.low, 1) == 69.2 and sure.high == 100  # 0.025 ** (1 / 10)
    wide = statistics.Interval(50.0, 1.0, 99.0, 10)
    assert own_pictures.widened(wide) == wide
