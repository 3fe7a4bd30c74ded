"""Controls that call a plain function: the function does the work and is tested, the control holds no logic.

None uses an `Output` widget, so an error in a callback reaches the notebook, and CI, instead of vanishing.
"""

import html
import itertools
import math
from collections.abc import Callable, Mapping, Sequence

import ipywidgets
import numpy as np

from tlcourse.classroom.questions import InWords, Prediction, Quiz, mark, number

__all__ = ["Explore", "Prediction", "Quiz", "mark"]


SLIDERS = (
    ipywidgets.IntSlider,
    ipywidgets.FloatSlider,
    ipywidgets.FloatLogSlider,
    ipywidgets.BoundedIntText,
    ipywidgets.BoundedFloatText,
)
CHOICES = (
    ipywidgets.Dropdown,
    ipywidgets.SelectionSlider,
    ipywidgets.ToggleButtons,
    ipywidgets.RadioButtons,
    ipywidgets.Select,
)
SWITCHES = (ipywidgets.Checkbox, ipywidgets.ToggleButton)


class Replayed(InWords):
    """Controls whose settings can be shown beforehand, for whoever has no kernel; `controls` are those by name."""

    controls: Mapping[str, ipywidgets.ValueWidget]
    aside = ""  # what a page without a kernel says of these settings

    def grid(self, most: int = 60) -> dict[str, list]:
        """The values kept of each control, in order; there are at most so many settings, which are all combinations.

        Each control is thinned evenly, keeping both ends and where it stands; a list, whose options have no order,
        only where sliders have nothing left to give. A control with more answers than can be listed (a text, an
        upload) stays where it is.

        Args:
            most: settings; with three controls or more an end may have to go.
        """
        places = [positions(control) for control in self.controls.values()]
        slides = [isinstance(control, (*SLIDERS, ipywidgets.SelectionSlider)) for control in self.controls.values()]
        counts = shares([len(values) for values, _ in places], most, slides)
        kept = (thinned(*place, count) for place, count in zip(places, counts, strict=True))
        return dict(zip(self.controls, kept, strict=True))

    def replay(self, **values) -> str:
        """What is shown at a setting, as HTML; may leave anything as it is not."""
        raise NotImplementedError

    def restore(self) -> None:
        """Make everything again as the controls say."""

    def states(self, most: int = 60) -> list[tuple[dict, str]]:
        """What is shown at each setting of `grid`.

        Returns:
            `(values by name, HTML)` for each setting, the first control moving slowest.
        """
        grid = self.grid(most)
        settings = [dict(zip(grid, setting, strict=True)) for setting in itertools.product(*grid.values())]
        shown = [(values, self.replay(**values)) for values in settings]
        self.restore()
        return shown

    @property
    def asked(self) -> dict:
        """The controls, each with the values of `grid` in words, and the buttons, which only a kernel can press."""
        moved = [described(name, self.controls[name], kept) for name, kept in self.grid().items()]
        buttons = [button.description for button in getattr(self, "buttons", ())]
        return {"kind": "explore", "controls": moved, "buttons": buttons, "aside": self.aside}


class Explore(Replayed):
    """Controls above a picture of what a function makes of them.

    Args:
        draw: takes the controls' values by name, returns HTML (a figure: see `plots.as_html`).
        actions: what takes longer than a control may: functions like `draw`, by the text of the button that calls
            them; afterwards the picture is drawn anew.
        controls: ipywidgets with a `value`, by the name of `draw`'s argument.
    """

    def __init__(
        self,
        draw: Callable[..., str],
        *,
        actions: Mapping[str, Callable] | None = None,
        **controls: ipywidgets.ValueWidget,
    ):
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

    @property
    def words(self) -> str:
        """What can be moved, and how far."""
        moved = [f"{control.description or name} ({span(control)})" for name, control in self.controls.items()]
        pressed = [f"{button.description} (a button)" for button in self.buttons]
        return f"To be moved in a running notebook: {'; '.join(moved + pressed)}."

    def replay(self, **values) -> str:
        """What `draw` makes of a setting."""
        return self.draw(**values)

    def restore(self) -> None:
        """Draw anew: what `draw` has set elsewhere is again as the controls say."""
        self.update()

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


def described(name: str, control: ipywidgets.ValueWidget, kept: Sequence) -> dict:
    """A control for a page without a kernel: `name`, `label`, `kind`, the `values` in words, and where it stands."""
    values, here = positions(control)
    if isinstance(control, SLIDERS):
        kind, words = "slider", [number(value if isinstance(value, int) else float(f"{value:.6g}")) for value in kept]
    elif isinstance(control, CHOICES):
        kind = "slider" if isinstance(control, ipywidgets.SelectionSlider) else "choice"
        labels = [str(option[0] if _is_pair(option) else option) for option in control.options]
        words = [labels[values.index(value)] for value in kept]
    else:
        kind, words = "switch" if isinstance(control, SWITCHES) else "fixed", [str(value) for value in kept]
    label = control.description or name
    return {"name": name, "label": label, "kind": kind, "values": words, "here": list(kept).index(values[here])}


def span(control: ipywidgets.ValueWidget) -> str:
    """What a control can be set to, in words."""
    if isinstance(control, SLIDERS):
        values, _ = positions(control)
        return f"from {number(values[0])} to {number(values[-1])}"
    if isinstance(control, CHOICES):
        return " / ".join(str(option[0] if _is_pair(option) else option) for option in control.options)
    return "on / off" if isinstance(control, SWITCHES) else "yours to fill"


def positions(control: ipywidgets.ValueWidget) -> tuple[list, int]:
    """Every value that a control can be moved to, in order, and the number of the one where it stands.

    Of a control whose values cannot be listed (a text, an upload) it is the one where it stands.
    """
    if isinstance(control, SWITCHES):
        return [False, True], int(control.value)
    if isinstance(control, CHOICES) and control.index is not None:
        return [option[1] if _is_pair(option) else option for option in control.options], control.index
    if not isinstance(control, SLIDERS):
        return [control.value], 0
    low, high = control.min, control.max
    step = control.step or (high - low) / 100
    places = np.minimum(low + step * np.arange(np.ceil((high - low) / step - 1e-9) + 1), high)
    if isinstance(control, ipywidgets.FloatLogSlider):
        places = control.base**places
    values = [type(control.value)(place) for place in places.round(12).tolist()]
    here = int(np.abs(np.subtract(values, control.value)).argmin())
    return [*values[:here], control.value, *values[here + 1 :]], here


def shares(sizes: Sequence[int], most: int, later: Sequence[bool]) -> list[int]:
    """How many values each control may keep, their product at most `most`: as equal as can be, `later` ones last."""
    counts, growing = [1] * len(sizes), [i for i, size in enumerate(sizes) if size > 1]
    while growing:
        least = min(growing, key=lambda i: (later[i], counts[i]))
        if math.prod(counts) // counts[least] * (counts[least] + 1) > most:
            growing.remove(least)
            continue
        counts[least] += 1
        if counts[least] == sizes[least]:
            growing.remove(least)
    return counts


def thinned(values: Sequence, here: int, count: int) -> list:
    """So many of the values, evenly spread; the one at `here` is kept, and both ends if there is room for them."""
    last = len(values) - 1
    kept = np.linspace(0, last, count).round().astype(int)
    if count == 1:
        kept[0] = here
    elif here not in kept:  # of two the nearer end goes, of more the neighbour that is no end
        inner = kept[1:-1] if count > 2 else kept
        inner[np.abs(inner - here).argmin()] = here
    return [values[i] for i in sorted(kept)]


def _is_pair(option: object) -> bool:
    """Whether an option is a label with its value, by the rule of ipywidgets."""
    return isinstance(option, tuple) and len(option) == 2
