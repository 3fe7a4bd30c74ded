"""Two pages of the site that are tables: every claim on the scoreboard, and every slide of the lectures."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from html import escape

from tlcourse.classroom import rows, scoreboard
from tlcourse.material import assets
from tlcourse.workshop import NOTEBOOKS, site_pages

HEAD = """\
# The scoreboard

Every claim that the lectures make and the course measures: what was published, what came out here, and the verdict that
follows by rule from the interval. Click on a heading to sort; a claim leads to the cell that measures it.

"""
MAP = """\
# From the lectures to the cells

What each slide says, in our words, and where the course takes it up, or why it does not.
"""


def board() -> str:
    """The scoreboard as a page; a claim leads to where `rows.places` finds it."""
    places = rows.places(scoreboard.table(), NOTEBOOKS)
    body = "".join(_row(row, place) for row, place in zip(scoreboard.rows(), places, strict=True))
    titles = ("chapter", "claim", "published", "measured", "95 % interval", "speaks of", "verdict")
    head = "".join(f'<th scope="col">{title}</th>' for title in titles)
    table = f'<table class="tl-board"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    return f'{HEAD}<div class="tl-wide">{table}</div>\n'


def _row(row: scoreboard.Row, place: str) -> str:
    address = site_pages.linked(f"notebooks/{place}")
    verdict = row.verdict or "withdrawn"
    published = "" if row.published is None else f"{row.published:g} {row.unit}"
    interval = f"{row.low:.3g} to {row.high:.3g}" if row.verdict else ""
    cells = (
        row.chapter,
        f'<a href="{address}">{_code(row.statement)}</a><br><em>{escape(row.lecture)}</em>',
        published,
        f"{row.measured:.3g} {row.unit}",
        interval,
        f"{escape(row.chance)}, n = {row.seeds}, {row.where}",
        f'<span class="tl-verdict">{verdict}</span>',
    )
    return f'<tr id="claim-{row.id}">{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>'


def _code(words: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(words))


def lectures(names: Mapping[str, str]) -> str:
    """The slides of the lectures as a page; `names` are those of the chapters' pages, by number."""
    page = [MAP]
    for lecture in tomllib.loads((assets.DATA / "lectures.toml").read_text(encoding="utf-8")).values():
        page += [f"## {lecture['title']}\n\n{lecture['by']}\n", "| slide | says | where |", "|---|---|---|"]
        page += [f"| {row['slide']} | {row['says']} | {_places(row, names)} |" for row in lecture["slides"]]
        page.append("")
    return "\n".join(page)


def _places(row: dict, names: Mapping[str, str]) -> str:
    if "left_out" in row:
        return f"*left out: {row['left_out']}*"
    return ", ".join(_link(*place.split(" "), names=names) for place in row["where"])


def _link(chapter: str, cell: str = "", *, names: Mapping[str, str]) -> str:
    address = f"{names[chapter]}.html" + (f"#cell-{cell}" if cell else "") if chapter in names else ""
    return f'<a href="{address}">chapter {chapter}</a>' if address else f"chapter {chapter}"
