"""What the site adds to Sphinx: an address for each cell, terms with links to the glossary, Binder's launch button."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from docutils import nodes

GLOSSARY = "docs/glossary"
TERM = re.compile(r"^## (.+)\n+(?:\*Also: (.+)\*)?", re.MULTILINE)
# Where no link is wanted: code, headings, links, formulas, and what a cell prints.
CLOSED = (nodes.literal, nodes.literal_block, nodes.title, nodes.reference, nodes.math, nodes.math_block, nodes.raw)


def terms(text: str) -> dict[str, str]:
    """The words of a glossary, each with the heading that explains it."""
    found: dict[str, str] = {}
    for heading, also in TERM.findall(text):
        for word in [heading, *also.split(",")]:
            if word.strip():
                found.setdefault(word.strip().lower(), heading.strip())
    return found


def link_terms(doctree: nodes.document, known: dict[str, str], address: str) -> None:
    """Link the first use of each term in a page; changes it in place.

    Args:
        doctree: the page.
        known: of `terms`.
        address: of the glossary, as seen from this page.
    """
    left = dict(known)
    for text in list(doctree.findall(nodes.Text)):
        if left and not _is_closed(text):
            pieces = list(_linked(text.astext(), left, address))
            if len(pieces) > 1:
                text.parent.replace(text, pieces)


def _linked(text: str, left: dict[str, str], address: str):
    """Pieces of a text, terms as links; what was linked is no longer left."""
    while left:
        words = "|".join(re.escape(word) for word in sorted(left, key=len, reverse=True))
        found = re.search(rf"(?<![\w-])(?:{words})(?![\w-])", text, re.IGNORECASE)
        if not found:
            break
        heading = left[found[0].lower()]
        for word in [word for word, other in left.items() if other == heading]:
            del left[word]
        link = nodes.reference("", found[0], internal=True, refuri=f"{address}#{nodes.make_id(heading)}")
        link["classes"].append("tl-term")
        yield from (nodes.Text(text[: found.start()]), link)
        text = text[found.end() :]
    yield nodes.Text(text)


def _is_closed(node: Any) -> bool:
    while (node := node.parent) is not None:
        if isinstance(node, CLOSED) or "cell" in node.get("classes", ()):
            return True
    return False


def _name_cells(app: Any, doctree: nodes.document) -> None:
    for node in doctree.findall(nodes.container):
        if node.get("nb_element") == "cell_code":
            node["ids"].append(f"cell-{node['cell_metadata']['cell_id']}")


def _link_page(app: Any, doctree: nodes.document, docname: str) -> None:
    path = Path(app.srcdir, f"{GLOSSARY}.md")
    if docname.startswith("notebooks/") and path.exists():
        address = app.builder.get_relative_uri(docname, GLOSSARY)
        link_terms(doctree, terms(path.read_text(encoding="utf-8")), address)


def _launch_the_copy(app: Any, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Binder has made `work/`, where a student works; Colab opens a file of the repository, which has `notebooks/`."""
    for group in context["header_buttons"]:
        for button in group.get("buttons", ()):
            if button["text"] == "Binder":
                button["url"] = button["url"].replace("/tree/notebooks/", "/tree/work/")


def setup(app: Any) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("doctree-read", _name_cells)
    app.connect("doctree-resolved", _link_page)
    app.connect("html-page-context", _launch_the_copy, priority=502)  # after the theme has made its buttons, at 501
    return {"parallel_read_safe": True, "parallel_write_safe": True}
