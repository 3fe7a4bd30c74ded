"""What a cell shows, held to what its notebook stores: one rule for pytest and for `python -m tlcourse run --check`.

Compared is what a reader reads: printed text, Markdown, the text of HTML and the alternative text of its pictures. Left
out are pictures, widgets, style and what stands on stderr. A cell tagged `live` is not compared.
"""

from __future__ import annotations

import functools
import html
import itertools
import math
import platform
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

WIDGET = "application/vnd.jupyter.widget-view+json"
KINDS = ("text/markdown", "text/html", "text/latex", "text/plain")  # the first that there is is the one that is shown
NUMBER = re.compile(r"[+-]?\d+(?:,\d{3})*(?:\.\d+)?(?:e[-+]?\d+)?")
NOTHING = "(nothing)"
SAME = {"rel_tol": 1e-6, "abs_tol": 1e-6}  # float32 and another processor's order of sums
LOOSE = {"rel_tol": 0.05, "abs_tol": 0.5}  # where one test picture may fall on the other side of a boundary
VECTORS = ("avx2", "fma", "avx512f", "avx512_vnni", "avx512_bf16", "avx_vnni", "amx_tile")
DECIDING = ("keras", "numpy", "pandas", "scikit-learn", "scipy", "tensorflow")


def difference(cell: Any, outputs: Iterable[Any], *, exact: bool) -> str | None:
    """Say where the outputs of a run differ from those that the cell stores.

    Args:
        cell: the code cell of the file.
        outputs: what it put out now.
        exact: integers must be equal and decimals equal but for the noise of float32; else within 5 % or 0.5.

    Returns:
        A sentence with the first line that differs; None if all agree, or the cell is tagged `live`.
    """
    if "live" in cell.metadata.get("tags", ()):
        return None
    return first_difference(text(cell.outputs), text(outputs), exact)


def first_difference(stored: Iterable[str], new: Iterable[str], exact: bool) -> str | None:
    """Say in a sentence which line differs first; None if all agree. See `difference`."""
    for old, now in itertools.zip_longest(stored, new, fillvalue=NOTHING):
        if not _alike(old, now, exact):
            return f"the file stores {_short(old)!r}, and a run gives {_short(now)!r}"
    return None


def text(outputs: Iterable[Any]) -> list[str]:
    """Return the lines that a reader reads, without empty ones: what was printed, then what was shown."""
    outputs = list(outputs)
    parts = ["".join(o.text for o in outputs if o.output_type == "stream" and o.name == "stdout")]
    for data in (output.get("data", {}) for output in outputs):
        kind = next((kind for kind in KINDS if kind in data), None)
        if kind and WIDGET not in data and not (kind == "text/plain" and len(data) > 1):
            parts.append(_plain(data[kind]) if kind == "text/html" else data[kind])
    lines = (re.sub(r"\bdata:[\w/+.-]+;base64,[\w+/=]*", "", line) for part in parts for line in part.splitlines())
    return [line for line in (" ".join(line.split()) for line in lines) if line]


def _plain(source: str) -> str:
    """The text of HTML, the alternative text of pictures included, a line for each block or table cell."""
    source = re.sub(r"<(style|script)\b.*?</\1>", "", source, flags=re.DOTALL)
    source = re.sub(r'<img\b[^>]*?\balt="([^"]*)"[^>]*>', r"\1", source)
    source = re.sub(r"</?(a|b|code|em|i|span|strong|sub|sup)\b[^>]*>", "", source)
    return html.unescape(re.sub(r"<[^>]+>", "\n", source))


def _alike(stored: str, new: str, exact: bool) -> bool:
    stored, new = (re.sub(r"\b0x[0-9a-f]{6,}", "0x", line.replace("−", "-")) for line in (stored, new))
    if NUMBER.sub("0", stored) != NUMBER.sub("0", new):
        return False
    return all(_near(a, b, exact) for a, b in zip(NUMBER.findall(stored), NUMBER.findall(new), strict=True))


def _near(a: str, b: str, exact: bool) -> bool:
    a, b = a.replace(",", ""), b.replace(",", "")
    if exact and a.lstrip("+-").isdigit():
        return int(a) == int(b)
    return math.isclose(float(a), float(b), **(SAME if exact else LOOSE))


def _short(line: str, most: int = 200) -> str:
    return line if len(line) <= most else line[: most - 1] + "…"


def on_reference(notebook: Any) -> bool:
    """Whether the notebook's outputs come from a machine like this one: locked versions, and sums in the same order."""
    return _locked() and notebook.metadata.get("tlcourse", {}).get("vectors") == vectors()


@functools.cache
def vectors() -> str:
    """The processor's vector instructions by Linux's names: TensorFlow chooses by them how it sums; elsewhere ""."""
    try:
        flags = re.search(r"^flags\s*:(.*)", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
    except OSError:
        return ""
    return " ".join(flag for flag in VECTORS if flags and flag in flags[1].split())


@functools.cache
def _locked() -> bool:
    """Whether this is Linux on x86-64 with the locked versions."""
    from importlib import metadata

    from tlcourse.workshop import lockfile

    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        return False
    pins = [pin for pin in lockfile.pins() if pin.name in DECIDING and (pin.marker is None or pin.marker.evaluate())]
    return all(pin.specifier.contains(metadata.version(pin.name), prereleases=True) for pin in pins)
