"""Shows a chapter as a deck: live in JupyterLab, or as a PDF. Nothing of the user's own Jupyter is read or written."""

from __future__ import annotations

import contextlib
import io
import json
import secrets
import shutil
import sys
import tempfile
import time
import urllib.request
import webbrowser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tlcourse.workshop import NOTEBOOKS, WorkshopError, deck, notebooks
from tlcourse.workshop.lab_server import lab

SETTINGS = {
    "jupyterlab-slideshow/plugin": {"active": True},
    "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none", "codeCellConfig": {"lineWrap": True}},
    "@jupyterlab/docmanager-extension/plugin": {"autosave": False},
    # What the buttons of a presenter's remote control send.
    "@jupyterlab/shortcuts-extension/shortcuts": {
        "shortcuts": [
            {"command": f"deck:{way}", "keys": [key], "selector": ".jp-Deck .jp-Notebook.jp-mod-commandMode :focus"}
            for way, key in (("forward", "PageDown"), ("back", "PageUp"))
        ]
    },
}
# Figures are drawn for a screen that is looked at from afar.
SHARP = "savefig.dpi: 165\nfont.size: 12\n"


@contextlib.contextmanager
def live(path: Path, *options: str) -> Iterator[str]:
    """A chapter's deck in a JupyterLab, all its cells run and its widgets alive.

    Args:
        path: the chapter; it is not changed.
        options: more words for JupyterLab's command line.

    Yields:
        The address of the deck.
    """
    import nbformat
    from nbformat.sign import NotebookNotary

    with tempfile.TemporaryDirectory(prefix="tlcourse-deck-") as name:
        folder, scratch = Path(name) / "deck", Path(name) / "jupyter"
        (scratch / "config" / "custom").mkdir(parents=True)
        folder.mkdir()
        style, script = deck.files()
        (scratch / "config" / "custom" / "custom.css").write_text(style, encoding="utf-8")
        (scratch / "matplotlibrc").write_text(SHARP, encoding="utf-8")
        token, target = secrets.token_hex(16), folder / path.name
        python = "--ServerApp.kernel_spec_manager_class=tlcourse.workshop.kernels.ThisPython"
        words = ("--LabApp.custom_css=True", python, *options)
        sharp = {"MATPLOTLIBRC": str(scratch / "matplotlibrc")}
        with lab(folder, scratch, SETTINGS, *words, token=token, environment=sharp) as address:
            chapter = nbformat.read(path, as_version=4)
            target.write_text("{}", encoding="utf-8")
            _run(chapter, _kernel(address, token, target.name, scratch / "runtime"))
            made = deck.deck(chapter, script)
            nbformat.write(made, target)
            (scratch / "share").mkdir(exist_ok=True)
            notary = NotebookNotary(data_dir=str(scratch / "share"))
            notary.sign(made)  # Lab shows widgets and runs scripts of trusted notebooks only
            notary.store.close()
            yield f"{address}/lab/tree/{target.name}?token={token}"


def _kernel(address: str, token: str, name: str, runtime: Path) -> Path:
    """Start the kernel that Lab will use for a notebook, and give the file that says how to talk to it."""
    wanted = {"path": name, "name": name, "type": "notebook", "kernel": {"name": "python3"}}
    request = urllib.request.Request(
        f"{address}/api/sessions",
        data=json.dumps(wanted).encode(),
        headers={"Authorization": f"token {token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as reply:
        return runtime / f"kernel-{json.load(reply)['kernel']['id']}.json"


def _run(chapter: Any, connection: Path) -> None:
    """Run all cells in a kernel, and put their outputs in place; a cell that fails keeps the outputs that it has."""
    from jupyter_client.blocking import BlockingKernelClient
    from nbformat.v4 import output_from_msg
    from rich.progress import track

    client = BlockingKernelClient(connection_file=str(connection))
    client.load_connection_file()
    client.hb_channel.time_to_dead = 60  # on a busy machine the first beat takes long
    client.start_channels()
    client.wait_for_ready(timeout=120)
    chapter.metadata.pop("widgets", None)
    code = [cell for cell in chapter.cells if cell.cell_type == "code" and cell.source.strip()]
    failed = []
    try:
        for cell in track(code, description="Running the cells"):
            outputs: list[Any] = []

            def keep(message: Any, outputs: list[Any] = outputs) -> None:
                if message["header"]["msg_type"] in ("stream", "display_data", "execute_result", "error"):
                    outputs.append(output_from_msg(message))

            reply = client.execute_interactive(cell.source, output_hook=keep, timeout=600, allow_stdin=False)["content"]
            if reply["status"] == "ok":
                cell.outputs, cell.execution_count = outputs, reply["execution_count"]
            else:
                failed.append(f"{reply.get('ename')}: {reply.get('evalue')} in {cell.source.splitlines()[0]!r}")
    finally:
        client.stop_channels()
    for problem in failed:
        print(f"A cell failed, and shows what it showed when the chapter was made ({problem}).", file=sys.stderr)


def present(number: str, *, folder: Path = NOTEBOOKS) -> int:
    """Open a chapter's deck in the browser, and keep it alive until Ctrl+C."""
    (path,) = notebooks.select([number], folder)
    with contextlib.suppress(KeyboardInterrupt), live(path) as address:
        print(f"The deck of {path.name} is ready: {address}")
        print("Arrow keys, space or a remote control turn the slides. In a control they move it; Escape leaves it.")
        print("Ctrl+Enter runs a slide again, which draws the room's guess into it. Ctrl+C here ends it.")
        webbrowser.open(address)
        while True:
            time.sleep(3600)
    return 0


def write_notes(number: str, file: Path = Path(), *, folder: Path = NOTEBOOKS) -> Path:
    """Write what the speaker has on paper: every slide's title, and the notes.

    Args:
        number: of the chapter.
        file: an HTML page, or a folder for it.
        folder: where the notebooks are.
    """
    import nbformat

    (path,) = notebooks.select([number], folder)
    file = file / f"{path.stem}_notes.html" if file.is_dir() else file
    file.write_text(deck.notes_page(nbformat.read(path, as_version=4)), encoding="utf-8")
    print(f"The speaker's notes are in {file}.")
    return file


def write_pdf(number: str, file: Path = Path(), *, folder: Path = NOTEBOOKS) -> Path:
    """Write a chapter's deck as a PDF, a page a slide, as a browser shows it; its controls stand where they start.

    Args:
        number: of the chapter.
        file: the PDF, or a folder for it.
        folder: where the notebooks are.

    Raises:
        WorkshopError: there is no Chromium, or no playwright to drive it.
    """
    (path,) = notebooks.select([number], folder)
    browser = chromium()
    if browser is None:
        raise WorkshopError("A PDF needs Chromium or Chrome, and none is on PATH: install one (apt install chromium).")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise WorkshopError("A PDF needs playwright: run python -m pip install -r requirements.txt.") from None
    from PIL import Image

    file = file / f"{path.stem}.pdf" if file.is_dir() else file
    with live(path) as address, sync_playwright() as playwright:
        window = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox", "--disable-gpu"])
        page = window.new_page(viewport={"width": 1280, "height": 720}, device_scale_factor=1.5)
        page.goto(address)
        images = [Image.open(io.BytesIO(page.screenshot())).convert("RGB") for _ in turn(page)]
        window.close()
    images[0].save(file, save_all=True, append_images=images[1:], resolution=144, title=path.stem)
    print(f"{len(images)} slides are in {file}.")
    return file


def chromium() -> str | None:
    """Where Chromium is, or None."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next(filter(None, map(shutil.which, names)), None)


def turn(page: Any) -> Iterator[int]:
    """Go through a deck that is open in playwright's page by the keyboard, and stop at each slide once it is drawn.

    Yields:
        The slide's number, as it stands on it.
    """
    last = page.wait_for_function(f"({AT})()", timeout=300_000).json_value()[1]
    number = 1
    while number <= last:
        page.wait_for_function(f"({AT})()?.[0] === {number}", timeout=120_000)  # Lab may start the deck twice
        page.wait_for_function(THERE, timeout=120_000)
        page.evaluate(STILL)
        yield number
        number += 1
        page.keyboard.press("ArrowRight")


# The number of the slide that is shown, and of the last: null while there is none, or deck.js has not seen it.
AT = """() => {
    const slide = document.querySelector('.jp-Deck .jp-deck-mod-visible');
    const fitted = slide?.closest('.jp-Notebook').style.getPropertyValue('--deck-fit');
    const said = fitted && getComputedStyle(slide).getPropertyValue('--deck-number').match(/\\d+/g);
    return said ? said.map(Number) : null;
}"""
# Its pictures and widgets are there. (No promise here: wait_for_function would take it for true.)
THERE = """() => [...document.querySelectorAll('.jp-deck-mod-visible img')].every(image => image.complete)
    && [...document.querySelectorAll('.jp-deck-mod-visible [data-mime-type*="widget-view"]')].every(output =>
        output.matches('.jupyter-widgets') || output.querySelector('.jupyter-widgets'))"""
# It stays as it is: deck.js makes it fit, and Lab draws a widget anew when it has found its kernel.
STILL = """async () => {
    const drawn = () => document.querySelector('.jp-deck-mod-visible').outerHTML;
    for (let seen = null; seen !== drawn(); await new Promise(later => setTimeout(later, 250))) seen = drawn();
}"""
