"""Widgets: controls reach the function, errors reach the caller, and a guess outlives its cell."""

import ipywidgets
import pytest

from tlcourse.classroom import widgets


@pytest.fixture(autouse=True)
def no_guesses(monkeypatch):
    monkeypatch.setattr(widgets, "_guesses", {})


# --- Explore -----------------------------------------------------------------------------------------------------


def explore(draw):
    number = ipywidgets.IntSlider(value=2, min=0, max=5)
    choice = ipywidgets.Dropdown(options=["a", "b"], value="a")
    return widgets.Explore(draw, number=number, choice=choice)


def test_explore_draws_with_the_values_of_its_controls():
    widget = explore(lambda number, choice: f"<b>{number}{choice}</b>")
    assert widget.pane.value == "<b>2a</b>"
    for value in (0, 5):
        widget.controls["number"].value = value
        assert widget.pane.value == f"<b>{value}a</b>"
    widget.controls["choice"].value = "b"
    assert widget.pane.value == "<b>5b</b>"


def test_explore_draws_once_a_change():
    calls = []
    widget = explore(lambda **values: calls.append(values) or "")
    widget.controls["number"].value = 4
    widget.controls["number"].value = 4
    assert calls == [{"number": 2, "choice": "a"}, {"number": 4, "choice": "a"}]


def test_a_button_works_with_the_values_of_the_controls_and_draws_anew():
    done = []
    widget = widgets.Explore(lambda top: f"{top}: {done}", actions={"train": lambda top: done.append(top)},
                             top=ipywidgets.IntSlider(value=3))  # fmt: skip
    (button,) = widget.buttons
    widget.controls["top"].value = 4
    button.click()
    assert done == [4] and widget.pane.value == "4: [4]"
    assert button.description == "train" and not button.disabled


def test_a_button_whose_work_fails_says_so_and_can_be_pressed_again():
    def fail(top):
        raise RuntimeError("no memory <left>")

    widget = widgets.Explore(lambda top: "", actions={"train": fail}, top=ipywidgets.IntSlider())
    for _ in range(2):
        widget.buttons[0].click()
        assert widget.pane.value == "<b>train</b> failed: no memory &lt;left&gt;"
        assert widget.buttons[0].description == "train" and not widget.buttons[0].disabled


def test_an_error_while_drawing_reaches_the_caller():
    def draw(number, choice):
        if number == 5:
            raise RuntimeError("cannot draw five")
        return ""

    widget = explore(draw)
    with pytest.raises(RuntimeError, match="cannot draw five"):
        widget.controls["number"].value = 5
    with pytest.raises(RuntimeError, match="at once"):
        explore(lambda **_: (_ for _ in ()).throw(RuntimeError("at once")))


def test_no_widget_swallows_errors_in_an_output_area():
    for widget in (
        explore(lambda **_: ""),
        widgets.Prediction("How many?"),
        widgets.Quiz([{"ask": "?", "options": ["a"], "truth": "a", "why": ""}]),
    ):
        assert not any(isinstance(child, ipywidgets.Output) for child in widget.children)


# --- Prediction --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("options", "guess"), [(None, 30.0), (["yes", "no"], "no")])
def test_a_guess_is_none_until_the_control_was_moved(options, guess):
    widget = widgets.Prediction("How many?", options=options)
    assert widget.value is None and "Noted" not in widget.status.value
    widget.control.value = guess
    assert widget.value == guess and "Noted" in widget.status.value


@pytest.mark.parametrize(("options", "guess"), [(None, 30.0), (["yes", "no"], "no"), (["yes", "no"], "yes")])
def test_running_the_cell_again_keeps_the_guess(options, guess):
    widgets.Prediction("How many?", options=options).control.value = guess
    again = widgets.Prediction("How many?", options=options)
    assert again.value == guess and again.control.value == guess and "Noted" in again.status.value
    assert widgets.Prediction("How many others?", options=options).value is None


@pytest.mark.parametrize(
    ("first", "guess", "then"),
    [
        ({"options": ["yes", "no"]}, "no", {"options": ["always", "never"]}),
        ({"options": ["yes", "no"]}, "no", {}),
        ({}, 30.0, {"options": ["yes", "no"]}),
        ({}, 90.0, {"high": 50}),
        ({"low": -10}, -5.0, {}),
    ],
)
def test_a_guess_that_cannot_be_given_any_more_is_forgotten(first, guess, then):
    """The author has reworded the answers meanwhile."""
    widgets.Prediction("How many?", **first).control.value = guess
    again = widgets.Prediction("How many?", **then)
    assert again.value is None and "Noted" not in again.status.value
    again.control.value = again.control.max if not then.get("options") else then["options"][0]
    assert again.value == again.control.value


def test_a_guess_may_be_changed():
    widget = widgets.Prediction("How many?", low=0, high=10, step=0.5)
    for guess in (0.0, 10.0, 7.5):
        widget.control.value = guess
        assert widget.value == guess


def test_what_is_asked_and_answered_is_shown_as_text():
    widget = widgets.Prediction("Is a < b & c?", options=["<b>yes</b>", "no"])
    assert "Is a &lt; b &amp; c?" in widget.children[0].value
    widget.control.value = "<b>yes</b>"
    assert "&lt;b&gt;yes&lt;/b&gt;" in widget.status.value


# --- Quiz --------------------------------------------------------------------------------------------------------

QUESTIONS = [
    {"ask": "One?", "options": ["a", "b"], "truth": "b", "why": "Because of one."},
    {"ask": "Two?", "options": ["c", "<d>"], "truth": "<d>", "why": "Because of two."},
]


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({}, (0, 0)),
        ({0: "b"}, (1, 1)),
        ({0: "a"}, (0, 1)),
        ({0: None, 1: "<d>"}, (1, 1)),
        ({0: "b", 1: "<d>"}, (2, 2)),
        ({0: "<d>", 1: "b"}, (0, 2)),
    ],
)
def test_marks_count_what_is_right_among_what_is_given(answers, expected):
    assert widgets.mark(answers, ["b", "<d>"]) == expected


def test_a_quiz_says_why_and_keeps_the_score():
    quiz = widgets.Quiz(QUESTIONS)
    assert [choice.value for choice in quiz.choices] == [None, None]
    assert all(reply.value == "" for reply in quiz.replies)
    quiz.choices[1].value = "c"
    assert quiz.replies[1].value.startswith("<b>✗ &lt;d&gt;.") and quiz.replies[1].value.endswith("Because of two.")
    assert quiz.replies[0].value == "" and "0 of 1 right" in quiz.score.value and "1 to go" in quiz.score.value
    quiz.choices[1].value = "<d>"
    quiz.choices[0].value = "b"
    assert quiz.replies[0].value == "<b>✓ </b>Because of one."
    assert "2 of 2 right" in quiz.score.value and "0 to go" in quiz.score.value
    quiz.choices[0].value = None
    assert quiz.replies[0].value == "" and "1 of 1 right" in quiz.score.value


def test_a_question_whose_truth_cannot_be_chosen_is_refused():
    with pytest.raises(ValueError, match="question 2 among its options, got 'e'"):
        widgets.Quiz([QUESTIONS[0], {**QUESTIONS[1], "truth": "e"}])
