"""A chapter as a page to read without a kernel. Pure: a notebook and what its controls show in, one for Sphinx out.

What depends on a guess carries its key as a tag, which becomes a class of the page; `site.js` does the rest.
"""

from __future__ import annotations

import base64
import copy
import hashlib
import html
import json
import re
from typing import Any

from tlcourse.workshop import WorkshopError, site_states

FOLDED = {"figure": "How this figure is made", "setup": "Set-up"}
UNREAD = ("states", "pictures", "questions")  # of a widget: what a page fetches when it is looked at
HEADING = re.compile(r"(?m)^(##+ .+)$")
TASK = re.compile(r"\n\n(?=\*\*(?:Exercise|Bug hunt))")
CHECKED = "*Your answer is checked where the notebook runs: `make lab`, or the launch button above, if there is one.*"
# A link to a cell, as JupyterLab reads it (`classroom.rows`), in Markdown and anywhere.
LINK, CELL = re.compile(r"\[([^\]]*)\]\((\w+)\.ipynb#cell-id=([\w-]+)\)"), re.compile(r"(\d\d_\w+)\.ipynb#cell-id=")
IMAGE = re.compile(r'<img ([^>]*?)src="data:image/(png|webp|jpeg);base64,([^"]+)"')


def page(notebook: Any, number: str, states: dict[str, list[dict]], files: dict[str, bytes]) -> Any:
    """A chapter as Sphinx is to read it.

    Args:
        notebook: with its outputs; it is not changed.
        number: of the chapter, "02".
        states: of `site_states.read`.
        files: is given what the page fetches, by its path in the site.

    Raises:
        WorkshopError: a cell shows a widget of which nothing is stored, or another one.
    """
    from nbformat.v4 import new_markdown_cell

    made = copy.deepcopy(notebook)
    made.metadata.pop("widgets", None)
    made.cells = [c for c in made.cells if c.metadata.get("slideshow", {}).get("slide_type") != "notes"]
    behind = covers(made.cells, states)
    cells = []
    for cell in made.cells:
        keys, tags = behind.get(cell.id, []), list(cell.metadata.get("tags", []))
        if cell.cell_type == "markdown":
            title, _, source = cell.source.partition("\n") if not cells else ("", "", f"\n{cell.source}")
            anchor = f'<div class="cell-anchor" id="cell-{cell.id}"></div>'
            above, *tasks = TASK.split(f"\n{source}")
            parts = [title.replace("#", f"# {number} ·", 1), anchor, covered(above.strip(), keys), *tasks]
            cells.append(new_markdown_cell("\n\n".join(filter(None, parts)), metadata=cell.metadata))
            continue
        cell.metadata = {"tags": [*tags, *keys], "cell_id": cell.id}
        fold(cell, tags)
        show(cell, number, states.get(cell.id, []), files)
        say_guesses(cell, keys, states)
        cells.append(cell)
    made.cells = cells
    return made


def covers(cells: list[Any], states: dict[str, list[dict]]) -> dict[str, list[str]]:
    """Which guesses each cell stays covered for: from where they are asked to the end of the round.

    A round ends with the next heading, task or guess, but not before the last cell that speaks of its guess.
    """
    found: dict[str, list[str]] = {}
    for start, cell in enumerate(cells):
        asked = [
            (key(cell.id, n), w["name"]) for n, w in enumerate(states.get(cell.id, ())) if w["kind"] == "prediction"
        ]
        spoken = [i for i, other in enumerate(cells) if i > start and any(mentions(other, name) for _, name in asked)]
        shown, last = False, max(spoken, default=start)
        for i in range(start + 1, len(cells) if asked else 0):
            other, tags = cells[i], set(cells[i].metadata.get("tags", ()))
            ends = other.source.startswith("#") if other.cell_type == "markdown" else tags & {"exercise", "predict"}
            if i > last and ends:
                break
            if "predict" in tags or tags & {"exercise", "check", "solution"}:
                continue
            if shown or (shown := other.cell_type == "code" and bool(other.outputs)):
                found.setdefault(other.id, []).extend(k for k, _ in asked)
            if i >= last and other.cell_type == "markdown" and TASK.search(f"\n\n{other.source}"):
                break
    return found


def mentions(cell: Any, name: str) -> bool:
    """Whether a cell of code uses a guess, by the name of its variable."""
    return cell.cell_type == "code" and bool(re.search(rf"\b{name}\b", cell.source))


def covered(source: str, keys: list[str]) -> str:
    """Markdown that stays covered until these guesses are made; headings stay, or the table of contents lacks them."""
    if not keys:
        return source
    tags = " ".join(f"tag_{k}" for k in keys)
    pieces = [piece.strip() for piece in HEADING.split(source)]  # what is between headings, and headings, in turn
    hidden = [
        piece if i % 2 else f"::::::{{container}} {tags}\n{piece}\n::::::" for i, piece in enumerate(pieces) if piece
    ]
    return "\n\n".join(hidden)


def fold(cell: Any, tags: list[str]) -> None:
    """Fold the code that only draws, and a solution with all that it prints; leave out what only asks."""
    if "solution" in tags:
        cell.metadata["tags"].append("hide-cell")
        said = "One solution"
    else:
        said = next((words for tag, words in FOLDED.items() if tag in tags), "")
        cell.metadata["tags"] += ["hide-input"] if said else []
    cell.metadata["tags"] += ["remove-input"] if "predict" in tags else []
    cell.metadata["mystnb"] = {"code_prompt_show": said, "code_prompt_hide": said} if said else {}
    if "check" in tags:
        from nbformat.v4 import new_output

        cell.outputs = [new_output("display_data", data={"text/markdown": CHECKED})]


def show(cell: Any, number: str, widgets: list[dict], files: dict[str, bytes]) -> None:
    """Put recorded widgets in the place of live ones, and each picture into a file of its own."""
    views = site_states.models(cell.outputs)
    words = [output.data["text/plain"] for output in cell.outputs if site_states.models([output])]
    if len(views) != len(widgets) or any(said != widget["words"] for said, widget in zip(words, widgets, strict=True)):
        mend = f"python -m tlcourse run {number} --states"
        raise WorkshopError(f"Expected what the controls of cell {cell.id} show, got that of others: run `{mend}`.")
    left = iter(enumerate(widgets))
    for output in cell.outputs:
        data = output.get("data", {})
        if site_states.models([output]):
            n, one = next(left)
            output.data = {"text/html": widget(key(cell.id, n), f"states/{number}-{cell.id}-{n}.js", one, files)}
        elif "text/html" in data:
            output.data = {"text/html": IMAGE.sub(lambda found: image(found, files), linked(data["text/html"]))}
        elif "text/markdown" in data:
            output.data = {"text/markdown": LINK.sub(r'<a href="\2.html#cell-\3">\1</a>', data["text/markdown"])}


def linked(source: str) -> str:
    """HTML, or what holds it, whose links to cells lead to them here."""
    return CELL.sub(r"\1.html#cell-", source)


def image(found: re.Match, files: dict[str, bytes]) -> str:
    """An `<img>` with its data inside as one that fetches a file."""
    content = base64.b64decode(found[3])
    path = f"pictures/{hashlib.sha256(content).hexdigest()[:16]}.{found[2]}"
    files[path] = content
    return f'<img loading="lazy" {found[1]}src="../{path}"'


def key(cell: str, n: int) -> str:
    """The name of a cell's n-th widget in the page, its address and what is kept of it."""
    return f"w-{cell}-{n}"


def widget(name: str, path: str, told: dict, files: dict[str, bytes]) -> str:
    """A widget's place in the page: what it asks, and the setting where it stands, for whoever has no script either."""
    light = {k: v for k, v in told.items() if k not in UNREAD}
    if heavy := {k: told[k] for k in UNREAD if k in told}:
        light["file"] = f"../{path}"
        files[path] = f"tlcourse({json.dumps(name)}, {linked(json.dumps(heavy))});\n".encode()
    first = told["states"][site_states.place(told["controls"])] if "states" in told else ""
    pictures = told.get("pictures", [])
    first = re.sub(r'src="#(\d+)"', lambda f: f'src="data:image/webp;base64,{pictures[int(f[1])]}"', first)
    first = IMAGE.sub(lambda found: image(found, files), linked(first))
    data = json.dumps(light).replace("<", "\\u003c")
    return (
        f'<div class="tl-widget" id="{name}"><script type="application/json">{data}</script>'
        f'<p class="tl-words">{html.escape(told["words"])}</p><div class="tl-pane">{first}</div></div>'
    )


def say_guesses(cell: Any, keys: list[str], states: dict[str, list[dict]]) -> None:
    """Write the reader's guesses where the notebook writes "none", or else above the result."""
    names = {name: w["name"] for c, told in states.items() for n, w in enumerate(told) if (name := key(c, n)) in keys}
    mine = [k for k, name in names.items() if mentions(cell, name)]
    if not mine:
        return
    cell.outputs = [as_html(output) for output in cell.outputs]
    order = [k for found in re.finditer(r"\b(\w+)\.said", cell.source) for k in mine if names[k] == found[1]]
    nones = sum(len(re.findall(r"\bnone\b", text_of(output))) for output in cell.outputs)
    if order and nones == len(order):
        left = iter(order)
        for output in cell.outputs:
            for kind, source in list(output.get("data", {}).items()):
                pieces = re.split(r"(<[^>]*>)", source)  # text and tags in turn
                pieces[::2] = [re.sub(r"\bnone\b", lambda _: said(next(left)), piece) for piece in pieces[::2]]
                output.data[kind] = "".join(pieces)
    else:
        from nbformat.v4 import new_output

        line = f'<p class="tl-guess">{"".join(map(said, mine))}</p>'
        cell.outputs.insert(0, new_output("display_data", data={"text/html": line}))


def as_html(output: Any) -> Any:
    """What a cell prints as an element; any other output as it is."""
    from nbformat.v4 import new_output

    if output.output_type != "stream":
        return output
    return new_output("display_data", data={"text/html": f'<pre class="tl-print">{html.escape(output.text)}</pre>'})


def text_of(output: Any) -> str:
    """What an output says, without tags."""
    return re.sub(r"<[^>]*>", "", "".join(output.get("data", {}).values()))


def said(name: str) -> str:
    """The place of a guess in a text."""
    return f'<span class="tl-said" data-guess="{name}">none</span>'
