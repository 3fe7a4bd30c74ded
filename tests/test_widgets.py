"""Widgets: controls reach the function, errors reach the caller, and a guess outlives its cell."""

import ipywidgets
import numpy as np
import pytest

from tlcourse.classroom import guesses, widgets


@pytest.fixture(autouse=True)
def no_guesses(monkeypatch):
    monkeypatch.setattr(guesses, "_answers", {})


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


def test_states_are_what_the_control_would_show():
    """The oracle: move the controls there and read the pane."""
    widget = explore(lambda number, choice: f"<b>{number}{choice}</b>")
    states = widget.states()
    assert len(states) == 12 and len({html for _, html in states}) == 12
    for values, html in states:
        for name, value in values.items():
            widget.controls[name].value = value
        assert widget.pane.value == html


def test_states_leave_everything_as_the_controls_say():
    """Drawing may set something elsewhere, as thawing a network does."""
    drawn = []
    widget = explore(lambda **values: drawn.append(values) or "")
    widget.states()
    assert widget.values == {"number": 2, "choice": "a"} == drawn[-1]


RANGES = {
    "int": (ipywidgets.IntSlider(value=18, min=1, max=10_000), 1, 10_000),
    "int, step": (ipywidgets.IntSlider(value=3, min=0, max=10, step=3), 0, 10),
    "float": (ipywidgets.FloatSlider(value=0.8, min=0, max=1, step=0.05), 0, 1),
    "off its grid": (ipywidgets.FloatSlider(value=0.123, min=-1, max=1, step=0.1), -1, 1),
    "log": (ipywidgets.FloatLogSlider(value=1000, base=10, min=2, max=5, step=0.5), 100, 100_000),
    "at an end": (ipywidgets.IntSlider(value=7, min=7, max=90), 7, 90),
}


@pytest.mark.parametrize("kind", RANGES)
@pytest.mark.parametrize("most", [60, 7, 3])
def test_states_of_a_slider_are_spread_over_its_range(kind, most):
    slider, low, high = RANGES[kind]
    at = [values["x"] for values, _ in widgets.Explore(lambda x: "", x=slider).states(most)]
    assert at == sorted(set(at)) and at[0] == low and at[-1] == pytest.approx(high) and len(at) <= most
    assert slider.value in at and {type(value) for value in at} == {type(slider.value)}
    place = np.log(at) if kind == "log" else np.array(at)
    if len(at) > 3:  # the one that had to be kept may lie between two places
        assert np.diff(place).max() <= 2.01 * (place[-1] - place[0]) / (len(at) - 1)


@pytest.mark.parametrize(
    ("control", "values"),
    [
        (ipywidgets.Dropdown(options=["a", "b"]), ["a", "b"]),
        (ipywidgets.ToggleButtons(options=[("one", 1), ("two", 2)]), [1, 2]),
        (ipywidgets.SelectionSlider(options=[0.5, 1, 20], value=1), [0.5, 1, 20]),
        (ipywidgets.Checkbox(value=True), [False, True]),
        (ipywidgets.Text(value="mine"), ["mine"]),
        (ipywidgets.RadioButtons(options=["a"], index=None), [None]),
    ],
)
def test_states_of_a_choice_are_its_options(control, values):
    assert [state["x"] for state, _ in widgets.Explore(lambda x: "", x=control).states()] == values


def test_states_leave_no_option_of_a_list_out():
    options = list("abcdefghi")
    shown = widgets.Explore(
        lambda n, x: "", n=ipywidgets.IntSlider(value=4, min=1, max=7), x=ipywidgets.Dropdown(options=options)
    ).states()
    assert sorted({values["x"] for values, _ in shown}) == options and len(shown) == 54


@pytest.mark.parametrize(
    "sizes", [(9, 64), (190, 4), (8, 5), (7, 480, 300, 891), (2, 2, 2, 2, 2, 2, 2), (1, 3), (500,)]
)
@pytest.mark.parametrize("most", [60, 1])
def test_states_are_a_whole_grid_of_at_most_so_many(sizes, most):
    controls = {f"x{i}": ipywidgets.IntSlider(value=size // 2, min=0, max=size - 1) for i, size in enumerate(sizes)}
    widget = widgets.Explore(lambda **_: "", **controls)
    states = [values for values, _ in widget.states(most)]
    along = [len({values[name] for values in states}) for name in controls]
    assert len(states) == np.prod(along) <= most and len({tuple(values.values()) for values in states}) == len(states)
    assert widget.values in states
    for i, (size, kept) in enumerate(zip(sizes, along, strict=True)):  # nowhere is there room for one more
        assert kept == size or np.prod(along) // kept * (kept + 1) > most, i


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


@pytest.mark.parametrize(
    ("setting", "guess", "said"),
    [
        ({}, 0.0, "0 %"),
        ({"unit": "points", "low": -10}, -5.0, "-5 points"),
        ({"unit": "", "high": 2_000_000}, 1_234_567.0, "1,234,567"),
        ({"step": 0.1, "high": 5, "unit": "T"}, 0.1 + 0.2, "0.3 T"),
        ({"options": ["yes", "no"]}, "no", "no"),
    ],
)
def test_a_guess_is_said_in_words_and_nought_is_a_guess(setting, guess, said):
    widget = widgets.Prediction("How many?", **setting)
    assert widget.said == "none"
    widget.control.value = guess
    assert widget.said == said and f"Noted: {said}." in widget.status.value


# --- What a notebook stores -----------------------------------------------------------------------------------------

VIEW = "application/vnd.jupyter.widget-view+json"


def test_a_notebook_stores_the_question_in_words_beside_the_live_view():
    widget = widgets.Prediction("Is a < b?", options=["yes", "no"])
    stored = widget._repr_mimebundle_()
    assert stored["text/plain"] == "Your guess first. Is a < b? (yes / no)"
    assert stored["text/markdown"] == "Your guess first. Is a &lt; b? (yes / no)"
    assert stored[VIEW]["model_id"] == widget.model_id
    stored = widgets.Prediction("How many?", low=-10, high=2000, unit="points")._repr_mimebundle_()
    assert stored["text/plain"] == "Your guess first. How many? (from -10 to 2,000 points)"


def test_what_is_stored_does_not_depend_on_what_was_guessed():
    widget = widgets.Prediction("How many?")
    before = widget.words
    widget.control.value = 77
    assert widget.words == before


def test_a_quiz_stores_its_questions_and_no_answer():
    stored = widgets.Quiz(QUESTIONS)._repr_mimebundle_()
    assert stored["text/plain"] == "1. One? (a / b)\n2. Two? (c / <d>)" and VIEW in stored


def test_an_explore_stores_what_can_be_moved_and_no_result():
    widget = widgets.Explore(
        lambda **_: "the result",
        actions={"train": lambda **_: None},
        n=ipywidgets.FloatLogSlider(value=1000, base=10, min=2, max=5, description="pictures"),
        by=ipywidgets.Dropdown(options=[("CNN", 1), ("HOG", 2)]),
        norms=ipywidgets.Checkbox(description="norms too"),
        text=ipywidgets.Text(description="a name"),
    )
    assert widget._repr_mimebundle_()["text/plain"] == (
        "To be moved in a running notebook: pictures (from 100 to 100,000); by (CNN / HOG); norms too (on / off); "
        "a name (yours to fill); train (a button)."
    )


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


def test_a_question_is_shown_as_text_and_its_pictures_beneath():
    quiz = widgets.Quiz([{**QUESTIONS[0], "ask": "a < b?", "shown": "<img>"}])
    (page,) = quiz.children[0].children
    asked, choice = page.children[0].children
    assert "a &lt; b? <img>" in asked.value and choice is quiz.choices[0]


def test_running_the_cell_again_keeps_the_answers():
    widgets.Quiz(QUESTIONS).choices[1].value = "<d>"
    again = widgets.Quiz(QUESTIONS)
    assert [choice.value for choice in again.choices] == [None, "<d>"]
    assert again.replies[1].value == "<b>✓ </b>Because of two." and "1 of 1 right" in again.score.value
    reworded = widgets.Quiz([QUESTIONS[0], {**QUESTIONS[1], "options": ["e"], "truth": "e"}])
    assert [choice.value for choice in reworded.choices] == [None, None]
