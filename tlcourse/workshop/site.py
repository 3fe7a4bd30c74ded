"""Builds the site: the committed notebooks and what is stored of their controls, read by Sphinx. Nothing is run."""

from __future__ import annotations

import contextlib
import functools
import http.server
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from tlcourse.material import assets
from tlcourse.workshop import ROOT, WorkshopError, notebooks, site_pages, site_states, site_tables

SITE, OUT = ROOT / "site", ROOT / "build" / "site"
PAGES = ("README.md", "docs")  # beside the chapters; what is not there is left out
FIRST = "data/recorded/first_start.png"  # the README's picture


def build(folder: Path = OUT, numbers: Iterable[str] = ()) -> Path:
    """Build the site.

    Args:
        folder: where to; what is there is replaced.
        numbers: chapters ("02"); none is all.

    Returns:
        The site's first page.

    Raises:
        WorkshopError: Sphinx is not installed, has something to warn of, or the folder holds something else.
    """
    try:
        from sphinx.cmd.build import build_main
    except ImportError as error:
        raise WorkshopError(f"Expected Sphinx and its theme, got: {error}; run `pip install -e .[site]`.") from error
    if folder.exists() and any(folder.iterdir()) and not (folder / ".buildinfo").exists():
        raise WorkshopError(f"Expected an empty folder or an earlier site, got {folder}: name another one.")
    with tempfile.TemporaryDirectory() as scratch:
        source, out = Path(scratch, "source"), Path(scratch, "site")
        write_source(source, notebooks.select(numbers))
        options = ["-b", "html", "-c", str(SITE), "-d", str(Path(scratch, "doctrees")), "-W", "--keep-going", "-q",
                   "-D", f"html_extra_path={source / '_extra'}"]  # fmt: skip
        if build_main([*options, str(source), str(out)]):
            raise WorkshopError("Expected a site without a warning, got those above: mend the pages that they name.")
        slim(out)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(out, folder)
    return folder / "index.html"


def write_source(source: Path, chapters: Iterable[Path]) -> None:
    """Write what Sphinx reads: the chapters as pages, the tables, what stands in `docs`, and the files pages fetch."""
    import nbformat

    chosen = {path.name[:2] for path in chapters}
    names = {path.name[:2]: f"notebooks/{path.stem}" for path in notebooks.select()}
    read = {number: nbformat.read(ROOT / f"{name}.ipynb", as_version=4) for number, name in names.items()}
    files: dict[str, bytes] = {"_static/mathjax/tex-svg.js": assets.path("mathjax").read_bytes()}
    for number, notebook in read.items():
        if number in chosen:
            made = site_pages.page(notebook, number, site_states.read(number), files)
        else:  # its first cell, so that links lead somewhere
            made = {**notebook, "cells": notebook.cells[:1]}
        write(source / f"{names[number]}.ipynb", json.dumps(made))
    write(source / "scoreboard.md", site_tables.board())
    write(source / "lectures.md", site_tables.lectures(names))
    for page in (*PAGES, FIRST):
        if (ROOT / page).is_dir():
            shutil.copytree(ROOT / page, source / page)
        elif (ROOT / page).exists():
            write(source / page, (ROOT / page).read_bytes())
    for path in (source / "docs").glob("*.md"):
        write(path, outward(path.read_text(encoding="utf-8"), path, source))
    others = [f"docs/{path.stem}" for path in sorted((source / "docs").glob("*.md"))]
    listed = "\n".join(names.values()), "\n".join(["lectures", "scoreboard", *others])
    index = (SITE / "index.md").read_text(encoding="utf-8")
    write(source / "index.md", index.replace("CHAPTERS", listed[0]).replace("PAGES", listed[1]))
    for path, content in files.items():
        write(source / "_extra" / path, content)


def outward(text: str, page: Path, source: Path) -> str:
    """A page whose links to files that the site does not have lead to the repository, if there is one."""

    def link(found: re.Match) -> str:
        words, target = found.groups()
        file = Path(os.path.normpath(page.parent / target.partition("#")[0])).relative_to(source)
        if file == Path("README.md"):
            return f"[{words}](../index.md)"
        if (source / file).exists() or not (ROOT / file).exists():  # what is nowhere is for Sphinx to complain of
            return found[0]
        return f"[{words}]({repository()}/blob/{branch()}/{file.as_posix()})" if repository() else words

    return re.sub(r"\[([^\]]*)\]\((?!\w+:|#)([^)]+)\)", link, text)


def slim(out: Path) -> None:
    """Take out of a site what no reader needs: maps of scripts, icons not shown, logos that a script draws."""
    brands = "fa-brands-400.woff2"
    for path in [*out.rglob("*.map"), *out.glob("_static/*macros.html"), *out.rglob(brands)]:
        path.unlink()
    pages = [*out.rglob("*.html"), *out.glob("_static/scripts/*theme.js")]
    shown = {name for page in pages for name in re.findall(r"\bfa-([a-z-]+)", page.read_text(encoding="utf-8"))}
    drawn = r'"?([\w-]+)"?:\[\d+,\d+,\[[^\]]*\],"[0-9a-f]+",(?:"[^"]*"|\[[^\]]*\])\],?'
    _edit(out / "_static/scripts/fontawesome.js", drawn, lambda icon: icon[0] if icon[1] in shown else "")
    named = r'(?:\.fa-[\w-]+,?)+\{--fa:"[^"]*"\}'
    keep = lambda rule: rule[0] if shown & set(re.findall(r"\.fa-([\w-]+)", rule[0])) else ""  # noqa: E731
    styles = out / "_static/styles/pydata-sphinx-theme.css"
    _edit(styles, named, keep)
    _edit(styles, rf"@font-face\{{[^}}]*{brands}[^}}]*\}}", lambda _: "")


def _edit(path: Path, pattern: str, change: Callable[[re.Match], str]) -> None:
    path.write_text(re.sub(pattern, change, path.read_text(encoding="utf-8")), encoding="utf-8")


def write(path: Path, content: str | bytes) -> None:
    """Write a file, and make its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


@functools.cache
def repository() -> str | None:
    """The address under which this checkout is published, for the launch buttons: what git calls `origin`.

    None if there is none, or it is no address that a browser can open.
    """
    if given := os.environ.get("TLCOURSE_REPOSITORY"):
        return given
    said = _git("remote", "get-url", "origin")
    found = re.fullmatch(r"(?:https://|(?:ssh://)?git@)((?:github|gitlab)\.com)[:/](.+?)(?:\.git)?/?", said)
    return f"https://{found[1]}/{found[2]}" if found else None


@functools.cache
def branch() -> str:
    """The branch that links and launch buttons lead to: the one that a clone of the repository gets."""
    return os.environ.get("TLCOURSE_BRANCH") or _git("rev-parse", "--abbrev-ref", "origin/HEAD")[7:] or "main"


def _git(*words: str) -> str:
    """What git says of this checkout; nothing where it has no answer."""
    with contextlib.suppress(OSError):
        done = subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, text=True)
        return "" if done.returncode else done.stdout.strip()
    return ""


def serve(folder: Path = OUT, port: int = 8000) -> int:
    """Show a site that was built, on this machine alone, until Ctrl-C."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        print(f"The site is at http://127.0.0.1:{server.server_port}/ until you press Ctrl-C.")
        server.serve_forever()
    return 0
