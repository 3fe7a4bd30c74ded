"""What the site's controls show without a kernel: recorded while a chapter runs, a file a chapter in `site/states`.

A file maps the id of a cell to what each of its widgets tells of itself (`InWords.asked`), with the HTML of every
setting in `states`. Pictures stand once each in `pictures`; HTML names them by their number, as in `src="#3"`.
"""

from __future__ import annotations

import base64
import functools
import io
import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from tlcourse.material.assets.atomic import replacing
from tlcourse.workshop import ROOT, WorkshopError, outputs

STATES = ROOT / "site" / "states"
PICTURE = re.compile(r'src="data:image/png;base64,([\w+/=]+)"')
LOSSY = 80  # quality of photographs; plots are kept as they are, but for 256 colours


def models(shown: Iterable[Any]) -> list[str]:
    """The ids of the widgets in a cell's outputs, in order."""
    views = (output.get("data", {}).get(outputs.WIDGET) for output in shown)
    return [view["model_id"] for view in views if view]


def told(shown: Iterable[Any], ask: Callable[[str], Any], *, everything: bool = True) -> list[dict]:
    """Ask the kernel what the course's controls among a cell's outputs tell of themselves.

    Args:
        shown: the outputs, just made.
        ask: evaluates an expression in the kernel, see `kernels.ask`.
        everything: what each setting shows; else of the present one alone.
    """
    ids = models(shown)
    return ask(f"widget_driver.told({ids!r}, everything={everything})") if ids else []


def packed(widget: dict) -> dict:
    """A widget as it is stored: each picture once, and small."""
    numbers: dict[str, int] = {}

    def numbered(html: str) -> str:
        return PICTURE.sub(lambda found: f'src="#{numbers.setdefault(compressed(found[1]), len(numbers))}"', html)

    result = dict(widget)
    if "states" in widget:
        result["states"] = [numbered(html) for html in widget["states"]]
    if "questions" in widget:
        result["questions"] = [
            {**q, "shown": numbered(q["shown"]), "why": numbered(q["why"])} for q in widget["questions"]
        ]
    return {**result, "pictures": list(numbers)} if numbers else result


@functools.lru_cache(maxsize=1000)
def compressed(png: str) -> str:
    """A PNG as the smaller of two WebPs, both in base64: a plot needs few colours, a photograph no exact ones."""
    from PIL import Image

    picture = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")
    few = picture.quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).convert("RGB")
    candidates = []
    for image, how in ((few, {"lossless": True}), (picture, {"quality": LOSSY})):
        buffer = io.BytesIO()
        image.save(buffer, "webp", method=4, **how)
        candidates.append(buffer.getvalue())
    return base64.b64encode(min(candidates, key=len)).decode()


def write(number: str, cells: dict[str, list[dict]]) -> None:
    """Store what the controls of a chapter show, in one step."""
    kept = {cell: [packed(widget) for widget in widgets] for cell, widgets in cells.items()}
    with replacing(STATES / f"{number}.json", "w", encoding="utf-8", newline="\n") as file:
        json.dump(kept, file, ensure_ascii=False, indent=1)
        file.write("\n")


def read(number: str) -> dict[str, list[dict]]:
    """What is stored for a chapter, by the ids of its cells.

    Raises:
        WorkshopError: the file is missing or cannot be read.
    """
    path = STATES / f"{number}.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        mend = f"python -m tlcourse run {number} --states"
        raise WorkshopError(
            f"Expected what chapter {number}'s controls show in {path}, got: {error}; run `{mend}`."
        ) from error


def difference(stored: list[dict], new: list[dict], *, exact: bool, live: bool = False) -> str | None:
    """Say where what is stored for a cell is no longer what its widgets tell.

    Args:
        stored: of `read`.
        new: of `told`, with the present setting's HTML alone, in `state`.
        exact: as in `outputs.difference`.
        live: what is shown may differ, what can be set may not.

    Returns:
        A sentence; None if the questions, the settings and the text of the present setting agree.
    """
    if len(stored) != len(new):
        return f"{len(stored)} widgets are stored, and the cell shows {len(new)}"
    for old, now in zip(stored, new, strict=True):
        for key in now.keys() - {"state", "questions"}:
            if old.get(key) != now[key]:
                return f"{key} is stored as {str(old.get(key))[:200]!r}, and is {str(now[key])[:200]!r}"
        pairs = [] if live or "state" not in now else [(old["states"][place(now["controls"])], now["state"])]
        pairs += [(asked(a), asked(b)) for a, b in zip(old.get("questions", ()), now.get("questions", ()), strict=True)]
        for shown, html in pairs:
            if said := outputs.first_difference(_read(shown), _read(html), exact):
                return said
    return None


def _read(html: str) -> list[str]:
    from nbformat.v4 import new_output

    return outputs.text([new_output("display_data", data={"text/html": html})])


def asked(question: dict) -> str:
    """A question of a quiz as HTML: all of it, right answer and reason too."""
    return "<br>".join([question["ask"], *question["options"], question["truth"], question["why"], question["shown"]])


def place(controls: list[dict]) -> int:
    """The number of the setting where controls stand, the first moving slowest."""
    return functools.reduce(lambda at, control: at * len(control["values"]) + control["here"], controls, 0)
