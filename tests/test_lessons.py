"""The widgets that hold a small world of their own: "teach it" of chapter 02 and the sorting game of chapter 00."""

import datetime
import html
import io
import re

import keras
import numpy as np
import pytest
from keras import layers
from PIL import Image

from tlcourse.classroom import sorting_game
from tlcourse.classroom.teach_it import SIZE, Lesson, TeachIt
from tlcourse.experiments import first_start
from tlcourse.material import data
from tlcourse.material.assets import DATA


@pytest.fixture(scope="module")
def colours():
    """A backbone whose features are the mean colour of a picture."""
    inputs = keras.Input((SIZE, SIZE, 3))
    return keras.Model(inputs, layers.GlobalAveragePooling2D()(layers.Rescaling(1 / 255)(inputs)))


def plain(colour, count=3):
    return [np.full((SIZE, SIZE, 3), colour, "uint8") for _ in range(count)]


def test_a_lesson_learns_what_it_is_shown(colours):
    lesson = Lesson(colours)
    assert lesson.show(plain((200, 10, 10)), "  red ") == 3
    assert lesson.show(plain((220, 0, 0), 1), "red") == 4
    lesson.show(plain((10, 10, 200)), "blue")
    lesson.learn()
    shares = lesson.name(np.full((SIZE, SIZE, 3), (180, 30, 30), "uint8"))
    assert shares.index[0] == "red" and shares.sum() == pytest.approx(100)


@pytest.mark.parametrize(
    ("shown", "action", "says"),
    [
        ([], lambda lesson: lesson.learn(), "at least two classes"),
        ([("red", 3)], lambda lesson: lesson.learn(), "got red"),
        ([], lambda lesson: lesson.name(plain((0, 0, 0))[0]), "train it first"),
        ([], lambda lesson: lesson.show(plain((0, 0, 0)), "   "), "name"),
        ([], lambda lesson: lesson.show([], "red"), "pictures of red"),
    ],
)
def test_a_lesson_says_what_is_missing(colours, shown, action, says):
    lesson = Lesson(colours)
    for name, count in shown:
        lesson.show(plain((200, 0, 0), count), name)
    with pytest.raises(ValueError, match=says):
        action(lesson)


def test_new_examples_have_to_be_learnt_before_the_next_answer(colours):
    lesson = Lesson(colours)
    lesson.show(plain((200, 0, 0)), "red")
    lesson.show(plain((0, 0, 200)), "blue")
    lesson.learn()
    lesson.show(plain((0, 200, 0)), "green")
    with pytest.raises(ValueError, match="train it first"):
        lesson.name(plain((0, 200, 0))[0])


def upload(name, content):
    now = datetime.datetime.now(datetime.UTC)
    return {"name": name, "type": "", "size": len(content), "content": memoryview(content), "last_modified": now}


def test_one_bad_upload_does_not_lose_the_others(colours):
    teach = TeachIt(colours)
    png = (DATA / "stickers" / "photo").rglob("*.png")
    teach.class_name.value = "things"
    teach.upload.value = (upload("good.png", next(png).read_bytes()), upload("letter.txt", b"Dear Sir"))
    assert "1 pictures of things" in teach.status.value and "letter.txt" in teach.status.value
    teach.upload.value = (upload("letter.txt", b"Dear Sir"),)
    assert "letter.txt" in teach.status.value and teach.lesson.names == ["things"]


def test_names_of_classes_and_files_are_shown_and_never_obeyed(colours):
    teach = TeachIt(colours)
    names = ["<img src=x onerror=alert(1)>", "$\\frac{$", '_x & "y"']
    for name, colour in zip(names, ("red", "green", "blue"), strict=True):
        buffer = io.BytesIO()
        Image.new("RGB", (9, 9), colour).save(buffer, "PNG")
        teach.class_name.value = name
        teach.upload.value = (upload("a.png", buffer.getvalue()), upload(f"{name}.png", b"no picture"))
        assert html.escape(f"1 pictures of {name}.") in teach.status.value and "<" not in teach.status.value
    teach.train.click()
    assert all(html.escape(f"{name} (1)") in teach.status.value for name in names)
    teach.trial.value = (upload("last.png", buffer.getvalue()),)
    assert html.escape(f"It says {names[2]}, ") in teach.status.value
    assert re.findall(r"<(?!/?(?:figure|img|figcaption|em)\b)|onerror=(?!alert\(1\)&gt;)", teach.answer.value) == []


def test_what_cannot_be_done_is_said_in_the_widget(colours):
    teach = TeachIt(colours)
    teach.train.click()
    assert "at least two classes" in teach.status.value
    teach.trial.value = (upload("letter.txt", b"Dear Sir"),)
    assert "letter" in teach.status.value or "picture" in teach.status.value


def test_teach_it_without_a_kernel_says_of_test_stickers_what_it_would_say_with_one(colours):
    teach = TeachIt(colours)
    states = teach.states(most=7)
    assert len(states) == 7 and teach.lesson.names == [] and teach.answer.value == ""
    for name in teach.stickers.classes:
        teach.sticker_class.value = name
        teach.take.click()
    teach.train.click()
    for values, shown in states[1:]:
        teach.sticker_trial.value = values["sticker"]
        assert teach.answer.value == shown
    assert [values["sticker"] for values, _ in states] == sorted({values["sticker"] for values, _ in states})
    assert "bird / " in teach.words and "%" not in teach.words


def test_the_sorting_game_tells_the_truth():
    questions = sorting_game.questions()
    truth = [question["truth"] for question in questions]
    assert len(questions) == 6 and set(truth) == set(sorting_game.OPTIONS)
    photo, noto = data.stickers("photo"), data.stickers("noto")
    assert photo.classes == noto.classes and photo.x_train.shape[1:] == noto.x_train.shape[1:]  # so only P(X) is left
    assert data.digits("mnist").x_train.shape[1:] != data.digits("mnist_m").x_train.shape[1:]
    assert len(sorting_game.KINGDOMS) == len(photo.classes) and len(set(sorting_game.KINGDOMS)) == 3
    assert all('alt="' in question["shown"] for question in questions if "<img" in question["shown"])


def test_the_control_knows_no_thing_that_was_photographed():
    x, y = first_start.drawings(other_things=True)
    everything, _ = first_start.drawings()
    assert 0 < len(x) < len(everything) and set(y) == set(range(8))
    assert first_start.words("red-car-2") == {"red", "car"}
