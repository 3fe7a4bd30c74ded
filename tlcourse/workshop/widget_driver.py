"""What the harness does inside a kernel: moves every control of every widget, and tries wrong answers on a check.

Everything here runs in the notebook's own kernel (see `kernels.ask`) and returns JSON. ipywidgets shows an exception of
a callback and goes on; here each is caught and counted, so that a control that fails cannot pass for one that works.
It knows kinds of control that no chapter has yet, too, so that whoever tries one learns whether it works.
"""

from __future__ import annotations

import contextlib
import json
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any

ODD_TEXTS = ("", "x" * 2000, "Ünïcödé 猫 \u202eright to left\u202c 🦓\u200d \t\n\\ <b>&amp;</b> ' \"")
UNBOUNDED = (0, -1, 10**6)
_driven: dict[str, int] = {}


def settings(control: Any, points: int = 3) -> list[tuple[str, str, Any]]:
    """List what a person can set a control to, as `(label, trait, value)`.

    Args:
        control: an ipywidgets widget.
        points: positions along a range, ends included: 3 is minimum, middle and maximum.

    Returns:
        The settings; empty for widgets that only show something, and for `FileUpload`, which needs real files.

    Raises:
        TypeError: the widget takes a value and there is no rule for its kind.
    """
    import ipywidgets as w
    from ipywidgets.widgets import widget_float, widget_int, widget_selection, widget_selectioncontainer, widget_string

    shows = (w.HTML, w.HTMLMath, w.Label, w.IntProgress, w.FloatProgress, w.Valid, w.Image, w.Audio, w.Video)
    if isinstance(control, (*shows, w.FileUpload, w.Controller)):
        return []
    if isinstance(control, (w.Button, w.ToggleButton, w.Checkbox)):
        if isinstance(control, w.Button):
            return [("clicked", "click", None)]
        return [("switched", "value", not control.value), ("switched back", "value", control.value)]
    if isinstance(control, (widget_selection._Selection,)):
        labels = control._options_labels
        return [(f"option {label!r}", "index", index) for index, label in enumerate(labels)]
    if isinstance(control, widget_selection._MultipleSelection):
        every = tuple(range(len(control._options_labels)))
        if isinstance(control, w.SelectionRangeSlider):
            ends = [(every[0], every[0]), (every[0], every[-1]), (every[-1], every[-1])]
            return [(f"options {pair}", "index", pair) for pair in ends]
        return [(f"options {chosen}", "index", chosen) for chosen in [(), *((i,) for i in every), every]]
    if isinstance(control, (widget_int._BoundedIntRange, widget_float._BoundedFloatRange)):
        ends = [(control.min, control.min), (control.min, control.max), (control.max, control.max)]
        return [(f"range {pair}", "value", pair) for pair in ends]
    if isinstance(control, (widget_int._BoundedInt, widget_float._BoundedFloat, widget_float._BoundedLogFloat)):
        return [(f"{value:g}", "value", value) for value in _along(control, points)]
    if isinstance(control, (widget_int._Int, widget_float._Float)):
        return [(f"{value:g}", "value", value) for value in UNBOUNDED]
    if isinstance(control, w.Combobox) and control.ensure_option:
        return [(f"option {option!r}", "value", option) for option in control.options]
    if isinstance(control, widget_string._String):
        names = ("empty text", "long text", "odd text")
        return [(name, "value", text) for name, text in zip(names, ODD_TEXTS, strict=True)]
    if isinstance(control, widget_selectioncontainer._SelectionContainer):
        return [(f"page {page}", "selected_index", page) for page in range(len(control.children))]
    if isinstance(control, w.ColorPicker):
        return [(colour, "value", colour) for colour in ("#000000", "#ffffff", "#0072b2")]
    if isinstance(control, w.TagsInput) and control.allowed_tags:
        return [(f"tags {tags}", "value", tags) for tags in ([], list(control.allowed_tags))]
    if isinstance(control, w.ValueWidget):
        kind = type(control).__name__
        raise TypeError(f"There is no rule for driving a {kind}; add one to tlcourse.workshop.widget_driver.")
    return []


def _along(control: Any, points: int) -> list[Any]:
    """Positions from minimum to maximum, on the control's own steps; a log slider's bounds are exponents."""
    low, high = control.min, control.max
    places = [low + (high - low) * i / (points - 1) for i in range(points)]
    if hasattr(control, "base"):
        values = [control.base**place for place in places]
    elif step := getattr(control, "step", None):
        values = [min(high, low + round((place - low) / step) * step) for place in places]
    else:
        values = places
    kind = int if isinstance(low, int) and not hasattr(control, "base") else float
    return list(dict.fromkeys(kind(value) for value in values))


def drive() -> str:
    """Move every control that is new, or has new callbacks, over its range, and put it back where it was.

    Returns:
        JSON: a list of `{"control", "problems": [[setting, error, traceback]], "seconds": [...]}`.
    """
    from ipywidgets.widgets import widget

    reports, given = [], _answers()
    before = dict(given)
    for model_id, control in list(widget._instances.items()):
        known = _driven.get(model_id)
        _driven[model_id] = _callbacks(control)
        if known == _driven[model_id]:
            continue
        if type(control).__name__ in ("Output", "interactive"):
            sentence = "an Output widget swallows the errors of callbacks; use an HTML or Image widget instead"
            reports.append({"control": _name(control), "problems": [["made", sentence, ""]], "seconds": []})
        elif not getattr(control, "disabled", False):
            try:
                report = _drive_one(control)
            except TypeError as error:
                report = {"control": _name(control), "problems": [["looked at", str(error), ""]], "seconds": []}
            if report["problems"] or report["seconds"]:
                reports.append(report)
        _driven[model_id] = _callbacks(control)
    given.clear()  # a moved control is not a student's guess: the cells to come are to show what the file stores
    given.update(before)
    return json.dumps(reports)


def told(model_ids: list[str], *, everything: bool) -> str:
    """What the course's own controls among these widgets tell of themselves, for a page without a kernel.

    Args:
        model_ids: of the widgets that a cell shows.
        everything: what is shown at each setting, in `states`; else at the present one alone, in `state`.

    Returns:
        JSON: a list of `asked`, with `words` and, for a guess, the `name` of the variable that holds it.
    """
    from ipywidgets.widgets import widget

    found = []
    for control in filter(lambda each: hasattr(each, "asked"), map(widget._instances.get, model_ids)):
        entry = {**control.asked, "words": control.words}
        if entry["kind"] == "prediction":
            entry["name"] = next(name for name, value in _shell().user_ns.items() if _holds(name, value, control))
        if entry["kind"] == "explore" and everything:
            entry["states"] = [html for _, html in control.states()]
        elif entry["kind"] == "explore":
            entry["state"] = control.replay(**{name: each.value for name, each in control.controls.items()})
            control.restore()
        found.append(entry)
    return json.dumps(found)


def _holds(name: str, value: Any, control: Any) -> bool:
    """Whether a notebook's variable is this control, or a table with it."""
    mine = value.values() if isinstance(value, dict) else [value]
    return name not in ("In", "Out") and name[0] != "_" and any(each is control for each in mine)


def _answers() -> dict[str, Any]:
    """This kernel's guesses, if its notebook asks for any."""
    return getattr(sys.modules.get("tlcourse.classroom.guesses"), "_answers", {})


def _drive_one(control: Any) -> dict[str, Any]:
    problems: list[list[str]] = []
    seconds: list[float] = []
    todo = settings(control)
    traits = dict.fromkeys(trait for _, trait, _ in todo if trait != "click")
    todo += [("put back", trait, getattr(control, trait)) for trait in traits]
    for label, trait, value in todo:
        with _caught() as errors:
            start = time.perf_counter()
            try:
                if trait == "click":
                    control.click()
                else:
                    setattr(control, trait, value)
            except Exception as error:  # whatever a callback raises is what we are here to find
                errors.append(error)
            seconds.append(time.perf_counter() - start)
        problems += [[label, f"{type(e).__name__}: {e}", "".join(traceback.format_exception(e))] for e in errors]
    return {"control": _name(control), "problems": problems, "seconds": seconds}


@contextlib.contextmanager
def _caught() -> Iterator[list[BaseException]]:
    """Collect the exceptions that ipywidgets would only have shown."""
    errors: list[BaseException] = []
    shell = _shell()
    if shell is None:
        yield errors
        return

    def record(exc_tuple: Any = None, *_: Any, **__: Any) -> None:
        errors.append((exc_tuple or sys.exc_info())[1])

    shell.showtraceback = record
    try:
        yield errors
    finally:
        del shell.showtraceback


def _callbacks(control: Any) -> int:
    """How many callbacks hang on a control, so that it is driven again when a later cell adds one."""
    notifiers = control._trait_notifiers.values()
    clicks = len(control._click_handlers.callbacks) if hasattr(control, "_click_handlers") else 0
    return clicks + sum(len(handlers) for kinds in notifiers for handlers in kinds.values())


def _name(control: Any) -> str:
    return f"{type(control).__name__} {getattr(control, 'description', '')!r}"


def _shell() -> Any:
    from IPython import get_ipython

    return get_ipython()


def try_answer(wrong: str, check: str, blank: str) -> str:
    """Run a wrong answer and the check that must refuse it, then put the notebook's names back and the blank in place.

    Args:
        wrong: code that sets the answer.
        check: the check cell's source.
        blank: the exercise cell's source, run again at the end.

    Returns:
        JSON: `{"stage", "error", "message", "refused"}`; `stage` is which of the three sources raised, or None.
    """
    run: Callable = _shell().run_cell
    space = _shell().user_ns
    before = dict(space)
    result = {"stage": None, "error": "", "message": "", "refused": False}
    for stage, source in (("wrong answer", wrong), ("check", check)):
        with _caught():
            outcome = run(source, store_history=False, silent=True)
        error = outcome.error_before_exec or outcome.error_in_exec
        if error is not None:
            kinds = {kind.__name__ for kind in type(error).__mro__}
            refused = stage == "check" and {"NotYet", "AssertionError"} <= kinds
            result = {"stage": stage, "error": type(error).__name__, "message": str(error), "refused": refused}
            break
    for name in set(space) - set(before):
        del space[name]
    space.update(before)
    with _caught():
        outcome = run(blank, store_history=False, silent=True)
    error = outcome.error_before_exec or outcome.error_in_exec
    if error is not None:
        result = {"stage": "blank", "error": type(error).__name__, "message": str(error), "refused": False}
    return json.dumps(result)
