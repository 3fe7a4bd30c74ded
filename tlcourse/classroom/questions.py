"""Questions with a control to answer them: a guess before the result, a quiz. What keeps the answers is `guesses`."""

import html
from collections.abc import Mapping, Sequence

import ipywidgets

from tlcourse.classroom import guesses


class InWords(ipywidgets.VBox):
    """A control that a notebook stores in words, for readers who have no kernel (GitHub, an exported page)."""

    @property
    def words(self) -> str:
        """What the control asks or offers, as plain text; must not tell the answer."""
        raise NotImplementedError

    @property
    def asked(self) -> dict:
        """What a page without a kernel needs to ask the same: JSON, `kind` says how to read it."""
        raise NotImplementedError

    def _repr_mimebundle_(self, **options) -> dict:
        """The live view, which JupyterLab prefers, and the words."""
        view = super()._repr_mimebundle_(**options) or {}
        return {**view, "text/markdown": html.escape(self.words, quote=False), "text/plain": self.words}


def number(value: float) -> str:
    """A number as it is said: 0.3, 12, 1,234,567."""
    return f"{value:,.10g}"


class Prediction(InWords):
    """A question to commit to before the result is computed; `value` is None until the control was moved.

    Args:
        question: what to guess, as plain text.
        options: the possible answers; a number from `low` to `high` if None.
        low: smallest number.
        high: largest number.
        step: between two numbers.
        unit: shown behind the number.
    """

    def __init__(
        self,
        question: str,
        *,
        options: Sequence[str] | None = None,
        low: float = 0,
        high: float = 100,
        step: float = 1,
        unit: str = "%",
    ):
        self.question, self.unit = question, unit
        self.options = None if options is None else list(options)
        self.low, self.high, self.step = low, high, step
        kept, wide = self.value, {"layout": {"width": "32em"}, "style": {"description_width": "initial"}}
        if self.options is None:
            start = (low + high) / 2 if kept is None else kept
            scale = {"min": low, "max": high, "step": step, "readout_format": ".0f" if step >= 1 else ".2f"}
            self.control = ipywidgets.FloatSlider(value=start, description=unit, **scale, **wide)
        else:
            chosen = None if kept is None else self.options.index(kept)
            self.control = ipywidgets.RadioButtons(options=self.options, index=chosen, **wide)
        self.status = ipywidgets.HTML()
        self.control.observe(self._commit, "value")
        asked = ipywidgets.HTML(f"<b>Your guess first.</b> {html.escape(question)}")
        super().__init__([asked, self.control, self.status])
        self._say()

    @property
    def value(self) -> float | str | None:
        """The guess, or None; one that cannot be given any more, for the answers were reworded, is none."""
        kept = guesses.recall(self.question)
        if self.options is not None:
            return kept if kept in self.options else None
        return kept if isinstance(kept, (int, float)) and self.low <= kept <= self.high else None

    @property
    def said(self) -> str:
        """The guess in words, such as "0 %" or "12 points"; "none" if there is none."""
        if self.value is None:
            return "none"
        return self.value if self.options is not None else f"{number(self.value)} {self.unit}".strip()

    @property
    def words(self) -> str:
        """The question and what may be answered."""
        span = f"from {number(self.low)} to {number(self.high)} {self.unit}".strip()
        return f"Your guess first. {self.question} ({span if self.options is None else ' / '.join(self.options)})"

    @property
    def asked(self) -> dict:
        """The question, and the options or the scale."""
        scale = {"low": self.low, "high": self.high, "step": self.step, "unit": self.unit}
        return {"kind": "prediction", "question": self.question, "options": self.options, **scale}

    def _commit(self, change) -> None:
        guesses.keep(self.question, change["new"])
        self._say()

    def _say(self) -> None:
        known = self.value is not None
        said = f"Noted: {self.said}. Now run on." if known else "Move the control; then run the next cells."
        self.status.value = html.escape(f"{said} {guesses.trouble}".strip())


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


class Quiz(InWords):
    """Questions with a few options each, a tab for each so that one fits a screen; says why after each answer.

    Args:
        questions: dicts with `ask` (plain text), `options`, `truth` (one of them), `why` (HTML) and, if there is more
            to see than the words, `shown` (HTML).
    """

    def __init__(self, questions: Sequence[Mapping]):
        self.questions = list(questions)
        self.choices, self.replies = [], []
        self.score = ipywidgets.HTML()
        pages = []
        for i, question in enumerate(self.questions):
            options = list(question["options"])
            if question["truth"] not in options:
                raise ValueError(
                    f"Expected the truth of question {i + 1} among its options, got {question['truth']!r}: mend either."
                )
            kept = guesses.recall(question["ask"])
            index = options.index(kept) if kept in options else None
            choice = ipywidgets.RadioButtons(options=options, index=index, layout={"width": "30em"})
            choice.observe(lambda change, i=i: self._answer(i, change["new"]), "value")
            self.choices.append(choice)
            self.replies.append(ipywidgets.HTML())
            asked = f"<b>{i + 1}.</b> {html.escape(question['ask'])} {question.get('shown', '')}"
            beside = ipywidgets.HBox([ipywidgets.HTML(asked), choice], layout={"flex_flow": "row wrap"})
            pages.append(ipywidgets.VBox([beside, self.replies[-1]]))
        super().__init__([ipywidgets.Tab(pages, titles=[str(i + 1) for i in range(len(pages))]), self.score])
        for i, choice in enumerate(self.choices):
            if choice.value is not None:
                self._reply(i)

    @property
    def words(self) -> str:
        """The questions and their options."""
        asked = (f"{q['ask']} ({' / '.join(q['options'])})" for q in self.questions)
        return "\n".join(f"{i}. {words}" for i, words in enumerate(asked, start=1))

    @property
    def asked(self) -> dict:
        """The questions, with what is right and why."""
        shown = [{"shown": "", **question, "options": list(question["options"])} for question in self.questions]
        return {"kind": "quiz", "questions": shown}

    def _answer(self, i: int, chosen: str | None) -> None:
        ask, truth = self.questions[i]["ask"], self.questions[i]["truth"]
        guesses.keep(ask, chosen)
        self._reply(i)
        if chosen is not None and (told := guesses.note(ask, chosen, right=chosen == truth, truth=truth)):
            self.replies[i].value += f"<br><small>{html.escape(told)}</small>"

    def _reply(self, i: int) -> None:
        question, chosen = self.questions[i], self.choices[i].value
        word = "✓ " if chosen == question["truth"] else f"✗ {html.escape(question['truth'])}. "
        self.replies[i].value = "" if chosen is None else f"<b>{word}</b>{question['why']}"
        answers = {j: choice.value for j, choice in enumerate(self.choices)}
        right, given = mark(answers, [question["truth"] for question in self.questions])
        said = f"<b>{right} of {given} right</b>, {len(self.questions) - given} to go."
        self.score.value = f"{said} {html.escape(guesses.trouble)}".strip()
