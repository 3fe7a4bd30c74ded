"""The class page counts as a second count does, shows what students wrote as text, and loses nobody's work."""

import json
import re
from collections import Counter, defaultdict

import made_up_class
import pytest
from bs4 import BeautifulSoup

from tlcourse.__main__ import main
from tlcourse.classroom import guesses
from tlcourse.workshop import WorkshopError, asked, class_page, handed_in
from tlcourse.workshop.asked import Chapter, Question

NUMBER = Question("How many?", (), 0, 100, "%", 40.0)
ONE_OF = Question("Which <b>one</b>?", ("a & b", "<i>c</i>"), truth="<i>c</i>")
CHAPTER = Chapter("02", "A small chapter?", [NUMBER, ONE_OF], [], {"worth_of_one": "A number."})


@pytest.fixture(scope="module")
def chapters():
    return asked.course()


@pytest.fixture(scope="module")
def folder(chapters, tmp_path_factory):
    folder = tmp_path_factory.mktemp("class")
    made_up_class.make(folder, chapters)
    return folder


@pytest.fixture(scope="module")
def page(folder, chapters):
    return BeautifulSoup(class_page.page(handed_in.students(folder), chapters), "html.parser")


def kept(folder):
    """What each file of guesses holds that is JSON, without the course's code."""
    for file in sorted(folder.rglob("guesses.json")):
        try:
            yield file, json.loads(file.read_text(encoding="utf-8"))
        except ValueError:
            continue


def logged(folder):
    """The rows of each list of tries."""
    for file in sorted(folder.rglob("tries.jsonl")):
        yield file, [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def table_of(figure):
    """The rows of a table on the page: the words in it, and the number that they end in."""
    return {
        cells[0].get_text().removeprefix("✓ right: "): cells[-1].get_text()
        for cells in (row.find_all("td") for row in figure.find_all("tr"))
    }


def test_guesses_are_counted_as_a_second_count_does(folder, page, chapters):
    answers = defaultdict(list)
    for _, content in kept(folder):
        for part in content.values():
            for ask, answer in part.items():
                answers[ask].append(answer)
    figures = {figure.find(class_="ask").get_text(): figure for figure in page.find_all("figure")}
    questions = [question for chapter in chapters for question in chapter.guesses]
    assert sum(question.ask in answers for question in questions) > 20
    for question in questions:
        given = answers[question.ask]
        if not given:
            assert question.ask not in figures
        elif question.options:
            counts = {option: f"{given.count(option)} of {len(given)}" for option in question.options}
            assert table_of(figures[question.ask]) == counts, question
        else:
            figure = figures[question.ask]
            assert figure.figcaption.get_text().startswith(f"{len(given)} guess"), question
            heights = [float(bar["height"]) for bar in figure.find_all("rect")]
            width = (question.high - question.low) / class_page.BINS
            parts = Counter(min((guess - question.low) / width // 1, class_page.BINS - 1) for guess in given)
            assert abs(sum(heights) - 62 * len(given) / max(parts.values())) < 1 + len(heights), question
            assert len(heights) in range(len(parts) - 2, len(parts) + 3)  # a guess on an edge may fall either way


def test_of_a_quiz_the_first_answer_counts_and_the_right_one_is_marked(folder, page, chapters):
    answers, truths, told = defaultdict(list), {}, {}
    for file, rows in logged(folder):
        told[file.parent] = first = {}
        for row in rows:
            if "truth" in row:
                first.setdefault(row["asked"], row["said"])
                truths[row["asked"]] = row["truth"]
        for ask, said in first.items():
            answers[ask].append(said)
    for file, content in kept(folder):
        for part in content.values():
            for ask, answer in part.items():
                if ask not in told.get(file.parent, ()):
                    answers[ask].append(answer)
    quiz = [question for chapter in chapters for question in chapter.quiz]
    assert len(quiz) == 16
    figures = {figure.find(class_="ask").get_text(): figure for figure in page.find_all("figure")}
    for question in quiz:
        given = answers[question.ask]
        counts = {option: f"{given.count(option)} of {len(given)}" for option in question.options}
        assert table_of(figures[question.ask]) == counts
        (right,) = figures[question.ask].find_all("tr", class_="right")
        assert right.td.get_text() == f"✓ right: {truths[question.ask]}"


def test_exercises_are_counted_as_a_second_count_does(folder, page):
    students, times, at_once = Counter(), Counter(), Counter()
    for _, rows in logged(folder):
        met, begun, looked = set(), set(), set()
        for row in rows:
            name = row["asked"]
            if "truth" in row or name in looked:
                continue
            if "solution" in row:
                looked.add(name)
            elif row["right"]:
                at_once[name] += name not in begun
            else:
                kind = row["said"].split()[0]
                met.add((name, kind))
                times[name, kind] += 1
            begun.add(name)
        students.update(met)
    exercises = {each.find(class_="ask").get_text(): each for each in page.find_all(class_="exercise")}
    for (name, kind), count in students.items():
        exercise = exercises[name.replace("_", " ")]
        told = {words: said for words, said in table_of(exercise).items() if words.split()[0] == kind}
        more = int(name == "worth_of_one" and kind == "Not") * 2  # from the notebooks of two who kept no list
        wanted = {f"{count + more} student{'s' * (count + more > 1)}, {times[name, kind] + more}×"}
        assert set(told.values()) == wanted, (name, kind)
        assert re.search(rf"\b{at_once[name]} right at once", exercise.get_text()) or not at_once[name]


def test_every_folder_is_there_and_what_could_not_be_read_is_said(folder, page):
    assert "30 folders were handed in" in page.p.get_text()
    said = [item.get_text() for item in page.find_all("li")]
    assert said == [
        "12 student holds neither notebooks nor .tlcourse: is it a copy of work/?",
        f"{made_up_class.BROKEN}/work/.tlcourse/guesses.json is not JSON, perhaps it was cut off, and is left out.",
    ]


def test_the_page_asks_nothing_of_anybody_and_says_its_figures(page):
    assert not page.find_all(["script", "img", "link", "iframe", "object", "form"])
    assert not [tag for tag in page.find_all(True) if any(key.startswith("on") or key == "src" for key in tag.attrs)]
    assert {link["href"][0] for link in page.find_all("a")} == {"#"}
    assert "default-src 'none'" in page.find("meta", attrs={"http-equiv": True})["content"]
    for picture in page.find_all("svg"):
        assert picture["role"] == "img" and re.match(r"\d+ guess", picture["aria-label"])
    assert len(page.find_all("b")) == 0  # of the name that has one


def student(folder, name="one", **files):
    """A folder with these files in it; text or bytes."""
    home = folder / name / guesses.FOLDER
    home.mkdir(parents=True, exist_ok=True)
    (folder / name / "02_x.ipynb").touch()
    for file, content in files.items():
        path = home / file.replace("_", ".")
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder / name


def read(folder):
    """What is read from a class of one, the empty notebook apart."""
    (only,) = handed_in.students(folder)
    only.troubles = [sentence for sentence in only.troubles if "02_x.ipynb" not in sentence]
    return only


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b'{"02": {"How', "is not JSON, perhaps it was cut off, and is left out."),
        (b"", "is not JSON, perhaps it was cut off, and is left out."),
        (b"\xff\x00\xfa", "is not JSON, perhaps it was cut off, and is left out."),
        (b"[" * 100_000, "is not JSON, perhaps it was cut off, and is left out."),
        (b"[1, 2]", "is JSON, but not what the course writes there, and is left out."),
        (b'{"02": 3}', "is JSON, but not what the course writes there, and is left out."),
        (b" " * 5_000_001, "has more than 5 MB and is left out."),
    ],
)
def test_a_bad_file_is_one_sentence(tmp_path, content, sentence):
    student(tmp_path, guesses_json=content)
    only = read(tmp_path)
    assert only.troubles == [f"one/.tlcourse/guesses.json {sentence}"] and only.answers == {}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_other_encodings_are_read(tmp_path, encoding):
    student(tmp_path, guesses_json=json.dumps({"02": {"How many?": 41.5}}).encode(encoding))
    assert class_page.guessed(NUMBER, "02", [read(tmp_path)]).given == 1


@pytest.mark.parametrize("answer", ["NaN", "1e999", "-1", "true", '"40"', "null", "[40]", "{}", "9" * 400])
def test_an_answer_that_the_control_cannot_give_is_not_counted(tmp_path, answer):
    student(tmp_path, guesses_json=f'{{"02": {{"How many?": {answer}, "Which <b>one</b>?": {answer}}}}}')
    only = read(tmp_path)
    assert class_page.guessed(NUMBER, "02", [only]).given == class_page.guessed(ONE_OF, "02", [only]).given == 0
    class_page.page([only], [CHAPTER])


def test_a_line_that_is_broken_costs_that_line(tmp_path):
    good = json.dumps({"chapter": "02", "asked": "worth_of_one", "said": "No.", "right": False})
    student(tmp_path, tries_jsonl=f'{good}\n{{"chapter": 2}}\n7\n{good}\n{good[:30]}')
    only = read(tmp_path)
    assert len(only.tries) == 2
    assert only.troubles == ["one/.tlcourse/tries.jsonl: 3 of its lines cannot be read and are left out, 2 count."]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{}", "is JSON, but no notebook, and is left out."),
        ('{"cells": [1]}', "is JSON, but no notebook, and is left out."),
        ('{"cells": [{"cell_type": "code", "source": 3}]}', "is JSON, but no notebook, and is left out."),
        ("<html>", "is not JSON, perhaps it was cut off, and is left out."),
    ],
)
def test_a_notebook_that_is_none_is_one_sentence(tmp_path, content, sentence):
    (student(tmp_path) / "02_x.ipynb").write_text(content)
    (only,) = handed_in.students(tmp_path)
    assert only.troubles == [f"one/02_x.ipynb {sentence}"]


def test_what_students_write_is_text(tmp_path):
    hint = "Not <script>alert(1)</script> & \ud800."
    row = {"chapter": "02", "asked": "worth_of_one", "said": hint, "right": False}
    student(tmp_path, '<img src=x onerror="1">', tries_jsonl=json.dumps(row), guesses_json="no")
    class_page.write(tmp_path, tmp_path / "class.html")
    page = (tmp_path / "class.html").read_text(encoding="utf-8")
    assert "<script" not in page and "<img" not in page and "&lt;script&gt;alert(1)" in page and "&lt;img" in page


def test_hints_that_differ_in_numbers_alone_are_one():
    rows = [{"asked": "x", "said": f"Not {n}. Count.", "right": False} for n in (3, 4.5, "1,200")]
    (hint,) = class_page.tried("x", "", [handed_in.Student(tries=rows)] * 2).hints
    assert hint == ("Not 1,200. Count.", 2, 6)


def test_a_solution_is_not_taken_for_the_students_own():
    wrong, right = ({"asked": "x", "said": "So.", "right": each} for each in (False, True))
    cases = {
        class_page.AT_ONCE: [right, wrong],
        class_page.AFTER: [wrong, right, right | {"solution": True}],
        class_page.NOT_YET: [wrong],
        class_page.LOOKED: [wrong, right | {"solution": True}, right],
    }
    for outcome, rows in cases.items():
        assert class_page.tried("x", "", [handed_in.Student(tries=rows)]).outcomes == {outcome: 1}


def test_no_folder_and_no_students_are_refused(tmp_path, capsys):
    for folder in (tmp_path / "nothing", tmp_path):
        with pytest.raises(WorkshopError, match="Expected a folder"):
            handed_in.students(folder)
        assert main(["class", str(folder)]) == 2
        assert capsys.readouterr().err.count("\n") == 1


def test_the_command_writes_one_page(folder, capsys, tmp_path):
    assert main(["class", str(folder), "--to", str(tmp_path / "page.html")]) == 0
    assert capsys.readouterr().out.startswith("30 folders, 2 things that could not be read")
    assert (tmp_path / "page.html").stat().st_size < 200_000
