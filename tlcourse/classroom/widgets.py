"""Controls that call a plain function: the function does the work and is tested, the control holds no logic.

None uses an `Output` widget, so an error in a callback reaches the notebook, and CI, instead of vanishing.
"""

import html
from collections.abc import Callable, Mapping, Sequence

import ipywidgets

_guesses: dict[str, object] = {}  # by question, so that running a cell twice does not lose what was guessed


class Explore(ipywidgets.VBox):
    """Controls above a picture of what a function makes of them.

    Args:
        draw: takes the controls' values by name, returns HTML (a figure: see `plots.as_html`).
        actions: what takes longer than a control may: functions like `draw`, by the text of the button that calls
            them; afterwards the picture is drawn anew.
        controls: ipywidgets with a `value`, by the name of `draw`'s argument.
    """

    def __init__(self, draw: Callable[..., str], *, actions: Mapping[str, Callable] | None = None,
                 **controls: ipywidgets.ValueWidget):  # fmt: skip
        self.draw, self.controls = draw, controls
        self.buttons = [self._button(text, action) for text, action in (actions or {}).items()]
        self.pane = ipywidgets.HTML()
        for control in controls.values():
            control.style.description_width = "initial"
            control.layout.width = "auto" if isinstance(control, ipywidgets.ToggleButtons) else "32em"
            control.observe(self.update, "value")
        super().__init__([*controls.values(), *self.buttons, self.pane])
        self.update()

    @property
    def values(self) -> dict:
        """What the controls stand at, by name."""
        return {name: control.value for name, control in self.controls.items()}

    def update(self, _change=None) -> None:
        """Draw anew: after each move of a control, and whenever what `draw` reads has changed."""
        self.pane.value = self.draw(**self.values)

    def _button(self, text: str, action: Callable) -> ipywidgets.Button:
        button = ipywidgets.Button(description=text, layout={"width": "auto"})

        def work(_):
            button.disabled, button.description = True, "…"  # a second click would wait, and do it all again
            try:
                action(**self.values)
                self.update()
            except Exception as error:  # where a button is clicked ipywidgets only logs what is raised
                self.pane.value = f"<b>{html.escape(text)}</b> failed: {html.escape(str(error))}"
                raise
            finally:
                button.disabled, button.description = False, text

        button.on_click(work)
        return button


class Prediction(ipywidgets.VBox):
    """A question to commit to before the result is computed; `value` is None until the control was moved.

    Args:
        question: what to guess, as plain text.
        options: the possible answers; a number from `low` to `high` if None.
        low: smallest number.
        high: largest number.
        step: between two numbers.
        unit: shown behind the number.
    """

    def __init__(self, question: str, *, options: Sequence[str] | None = None, low: float = 0, high: float = 100,
                 step: float = 1, unit: str = "%"):  # fmt: skip
        self.question = question
        kept = _guesses.pop(question, None)
        possible = kept in options if options is not None else isinstance(kept, (int, float)) and low <= kept <= high
        if kept is not None and possible:
            _guesses[question] = kept
        else:  # none, or the question was another when it was guessed
            kept = None
        wide = {"layout": ipywidgets.Layout(width="32em"), "style": {"description_width": "initial"}}
        if options is None:
            start = (low + high) / 2 if kept is None else kept
            number = {"min": low, "max": high, "step": step, "description": unit}
            shown = ".0f" if step >= 1 else ".2f"
            self.control = ipywidgets.FloatSlider(value=start, readout_format=shown, **number, **wide)
        else:
            chosen = None if kept is None else list(options).index(kept)
            self.control = ipywidgets.RadioButtons(options=list(options), index=chosen, **wide)
        self.status = ipywidgets.HTML()
        self.control.observe(self._commit, "value")
        asked = ipywidgets.HTML(f"<b>Your guess first.</b> {html.escape(question)}")
        super().__init__([asked, self.control, self.status])
        self._say()

    @property
    def value(self):
        """The guess, or None."""
        return _guesses.get(self.question)

    def _commit(self, change) -> None:
        _guesses[self.question] = change["new"]
        self._say()

    def _say(self) -> None:
        waiting = "Move the control; then run the next cells."
        self.status.value = waiting if self.value is None else f"Noted: {html.escape(str(self.value))}. Now run on."


def mark(answers: Mapping[int, str | None], truth: Sequence[str]) -> tuple[int, int]:
    """How many answers are given and how many of them are right.

    Args:
        answers: the option chosen for each question; None or nothing for those not answered.
        truth: the right options in order.

    Returns:
        `(right, given)`.
    """
    given = {i: answer for i, answer in answers.items() if answer is not None}
    return sum(answer == truth[i] for i, answer in given.items()), len(given)


class Quiz(ipywidgets.VBox):
    """Questions with a few options each, answered one at a time; says why after each answer.

    Args:
        questions: dicts with `ask` (HTML), `options`, `truth` (one of them) and `why` (HTML).
    """

    def __init__(self, questions: Sequence[Mapping]):
        self.questions = list(questions)
        self.choices, self.replies = [], []
        self.score = ipywidgets.HTML()
        rows = []
        for i, question in enumerate(self.questions):
            if question["truth"] not in question["options"]:
                raise ValueError(
                    f"Expected the truth of question {i + 1} among its options, got {question['truth']!r}: mend either."
                )
            choice = ipywidgets.RadioButtons(options=question["options"], index=None, layout={"width": "30em"})
            choice.observe(lambda _, i=i: self._answer(i), "value")
            self.choices.append(choice)
            self.replies.append(ipywidgets.HTML())
            rows += [ipywidgets.HTML(f"<b>{i + 1}.</b> {question['ask']}"), choice, self.replies[-1]]
        super().__init__([*rows, self.score])

    def _answer(self, i: int) -> None:
        question, chosen = self.questions[i], self.choices[i].value
        word = "✓ " if chosen == question["truth"] else f"✗ {html.escape(question['truth'])}. "
        self.replies[i].value = "" if chosen is None else f"<b>{word}</b>{question['why']}"
        answers = {j: choice.value for j, choice in enumerate(self.choices)}
        right, given = mark(answers, [question["truth"] for question in self.questions])
        self.score.value = f"<b>{right} of {given} right</b>, {len(self.questions) - given} to go."
