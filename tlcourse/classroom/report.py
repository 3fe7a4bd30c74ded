"""A page for somebody who was not there: facts, tables and figures in one HTML file that needs nothing beside it."""

import html
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from tlcourse.material.assets.atomic import replacing

NAME = "report"
STYLE = (
    "body{font:16px/1.5 sans-serif;max-width:60em;margin:2em auto;padding:0 1em}img{max-width:100%}"
    "td,th{text-align:left;padding:.2em 1em .2em 0;vertical-align:top}"
)


def facts(rows: Mapping[str, object]) -> str:
    """A table of names and values as HTML; whatever they hold is shown as text, never taken for markup."""
    lines = (f"<tr><th>{_text(name)}</th><td>{_text(value)}</td></tr>" for name, value in rows.items())
    return f"<table>{''.join(lines)}</table>"


def page(title: str, parts: Sequence[Mapping[str, object] | pd.DataFrame | str]) -> str:
    """One HTML page.

    Args:
        title: shown as text.
        parts: from top to bottom: a mapping is shown by `facts`, a table as a table, and a `str` is HTML already, such
            as a figure by `plots.as_html`.
    """
    shown = []
    for part in parts:
        if isinstance(part, pd.DataFrame):
            shown.append(part.map(_written).to_html(index=False, border=0))  # which escapes
        else:
            shown.append(facts(part) if isinstance(part, Mapping) else part)
    head = f'<meta charset="utf-8"><title>{_text(title)}</title><style>{STYLE}</style>'
    return f'<!doctype html><html lang="en">{head}<h1>{_text(title)}</h1>{"".join(shown)}</html>\n'


def save(text: str, folder: str | Path) -> Path:
    """Write a page into a folder under a name that nothing there has: report.html, report-2.html and so on.

    Raises:
        ValueError: the folder cannot be written to.
    """
    root, number = Path(folder).expanduser(), 1
    while (path := root / f"{NAME}{f'-{number}' if number > 1 else ''}.html").exists():
        number += 1
    try:
        with replacing(path, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except OSError as error:
        raise ValueError(
            f"Expected a folder that can be written to, got {str(root)!r} ({error.strerror}): save the page elsewhere."
        ) from error
    return path


def _text(value: object) -> str:
    return html.escape(str(_written(value)))


def _written(value: object) -> object:
    """A text that is not Unicode, as a folder's name may be, with a mark in place of what cannot be written."""
    return value.encode("utf-8", "replace").decode("utf-8") if isinstance(value, str) else value
