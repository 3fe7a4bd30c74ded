"""A student's first two days, in a real browser: chapter 00 as `make lab` opens it, a guess, a restart, an edit."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request

import browser_lab
import pytest
from browser_lab import NOTEBOOK

from tlcourse.classroom import guesses
from tlcourse.material.assets import DATA
from tlcourse.workshop import ROOT, start

pytestmark = pytest.mark.skipif(
    browser_lab.chromium() is None,
    reason="no Chromium on PATH (Debian and Ubuntu: apt install chromium), so that nobody looks at what a student sees",
)
TOKEN, FIRST = "student", "00_start_here.ipynb"
EDIT = "from tlcourse.classroom import checks, widgets  # a line of her own"
CELLS = f"{NOTEBOOK}.content.widgets"
# Whatever lies over the page: notifications, dialogues.
BOXES = "[...document.querySelectorAll('.Toastify__toast, .jp-Dialog')].map(box => box.innerText)"


@contextlib.contextmanager
def make_lab(home):
    """What `make lab` runs once everything is installed, for somebody who never used Jupyter; yields the address."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    server = {"ip": "127.0.0.1", "port": port, "port_retries": 0, "open_browser": False, "allow_root": True}
    config = {"ServerApp": server, "IdentityProvider": {"token": TOKEN}, "LabApp": {"expose_app_in_browser": True}}
    (home / "config").mkdir(parents=True, exist_ok=True)
    (home / "config" / "jupyter_server_config.json").write_text(json.dumps(config))
    homes = {"JUPYTER_CONFIG_DIR": "config", "JUPYTER_RUNTIME_DIR": "runtime", "JUPYTER_DATA_DIR": "share"}
    environment = os.environ | {name: str(home / folder) for name, folder in homes.items()}
    environment |= {"IPYTHONDIR": str(home / "ipython"), "HOME": str(home), "TLCOURSE_DATA": str(DATA)}
    environment |= {"TLCOURSE_WORK": str(home / "work"), "PYTHONPATH": str(ROOT)}
    with open(home / "lab.log", "ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tlcourse", "lab"], cwd=home, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        end = time.monotonic() + 300
        while process.poll() is None and time.monotonic() < end:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/api", timeout=5).close()
                break
            time.sleep(0.2)
        else:
            raise RuntimeError(f"JupyterLab did not start:\n{(home / 'lab.log').read_text()[-3000:]}")
        yield f"http://127.0.0.1:{port}/lab/tree/{FIRST}?token={TOKEN}"
    finally:
        process.terminate()
        process.wait(60)


def visit(browser, address):
    """Open the page that `make lab` opens; gives it with the set of hosts that it asked for and must not."""
    watched = browser_lab.Watched(browser.new_page(viewport={"width": 1280, "height": 800}))
    watched.open(address)
    return watched.page, watched.left


def guess_first(page):
    """Run the first question, and what it needs; the whole set-up cell would load TensorFlow twice for nothing."""
    page.evaluate(f"{NOTEBOOK}.content.activeCellIndex = 0")
    page.evaluate("window.jupyterapp.commands.execute('notebook:run-cell-and-select-next')")
    first = page.evaluate(f"{CELLS}.findIndex(cell => (cell.model.getMetadata('tags') ?? []).includes('predict'))")
    page.evaluate(f"{NOTEBOOK}.content.activeCellIndex = {first}")
    page.evaluate("window.jupyterapp.commands.execute('notebook:run-cell')")
    page.wait_for_selector("text=Your guess first.")


def test_first_day_and_next(browser, tmp_path):
    with make_lab(tmp_path) as address:
        page, left = visit(browser, address)
        first_sight(page)
        assert page.evaluate(BOXES) == []

        page.evaluate(f"{NOTEBOOK}.content.activeCellIndex = 0")
        page.evaluate("window.jupyterapp.commands.execute('notebook:insert-cell-above')")
        page.evaluate(f"{CELLS}[0].model.sharedModel.setSource('{EDIT}')")
        guess_first(page)
        slider = page.locator(".jp-OutputArea .noUi-handle").first
        slider.focus()
        for key in ("Home", "ArrowRight", "ArrowLeft"):  # to 0, which is a guess
            page.keyboard.press(key)
        page.wait_for_selector("text=Noted: 0 %")
        page.evaluate(f"{NOTEBOOK}.sessionContext.session.kernel.restart()")
        page.evaluate("window.jupyterapp.commands.execute('notebook:clear-all-cell-outputs')")
        guess_first(page)
        page.wait_for_selector("text=Noted: 0 %")
        assert solve(page, tmp_path / "work" / guesses.FOLDER / guesses.TRIES) == [True, False]

        page.evaluate("window.jupyterapp.commands.execute('docmanager:save')")
        page.wait_for_function(f"!{NOTEBOOK}.context.model.dirty")
        assert left == set()
        page.close()

    with make_lab(tmp_path) as address:
        page, left = visit(browser, address)
        assert page.evaluate(BOXES) == []
        assert page.evaluate(f"{CELLS}[0].model.sharedModel.source") == EDIT
        page.goto(address.replace(FIRST, "glossary.md"))
        page.wait_for_selector(".jp-MarkdownViewer h2")
        assert left == set()
        page.close()
    names = {path.name for path in (tmp_path / "work").glob("*.ipynb")}
    assert names == {path.name for path in start.NOTEBOOKS.glob("*.ipynb")}, "something was put beside her work"


def solve(page, tries):
    """Run a solution, then the check above it; gives for each try that was noted whether it is known for a solution."""
    for tag in ("solution", "check"):
        place = page.evaluate(f"{CELLS}.findIndex(cell => (cell.model.getMetadata('tags') ?? []).includes('{tag}'))")
        page.evaluate(f"{NOTEBOOK}.content.activeCellIndex = {place}")
        page.evaluate("window.jupyterapp.commands.execute('notebook:run-cell')")
        page.wait_for_function(f"{CELLS}[{place}].model.executionCount")
    return [json.loads(line).get("solution", False) for line in tries.read_text(encoding="utf-8").splitlines()]


def first_sight(page):
    """No note, no result, no answer."""
    cells = page.evaluate(
        f"""{CELLS}.map(cell => ({{
            tags: cell.model.getMetadata('tags') ?? [], slide: cell.model.getMetadata('slideshow')?.slide_type,
            outputs: cell.model.sharedModel.outputs?.length ?? 0, source: cell.model.sharedModel.source }}))"""
    )
    assert len(cells) > 40
    assert [cell for cell in cells if cell["slide"] == "notes" or cell["outputs"]] == []
    solutions = [i for i, cell in enumerate(cells) if "solution" in cell["tags"]]
    assert solutions
    for i in solutions:
        page.evaluate(f"{NOTEBOOK}.content.scrollToItem({i}, 'center')")
        page.wait_for_timeout(200)
        seen = page.evaluate(f"{CELLS}[{i}].node.innerText").strip().splitlines()
        lines = [line for line in cells[i]["source"].splitlines()[1:] if line.strip()]
        assert cells[i]["source"].splitlines()[0] in seen, "the folded cell shows its first line"
        assert [line for line in lines if line in "\n".join(seen)] == []
        assert cells[i]["source"].startswith("#")
