"""Each chapter in JupyterLab in a real browser: it opens, runs, answers the keyboard, and the console stays clean."""

import os
import shutil
import subprocess

import browser_lab
import pytest
from browser_lab import Chapter
from nbformat.v4 import new_output
from notebook_maker import code, good, text, write

from tlcourse.material.assets import DATA
from tlcourse.workshop import NOTEBOOKS, ROOT

pytestmark = pytest.mark.skipif(
    browser_lab.chromium() is None,
    reason="no Chromium on PATH (Debian and Ubuntu: apt install chromium), so that no chapter is opened in a browser",
)
# A run of every chapter costs as much as the notebooks' own tests: by default what the last commit changed and three
# fixed ones; TLCOURSE_BROWSER="00 02" opens only these, and "all" each (`make browser`).
FIXED = {"00", "02", "06"}
CHOSEN = set(os.environ.get("TLCOURSE_BROWSER", "").split())


def changed():
    """The numbers of the chapters that the last commit changed, or that are not committed."""
    git = subprocess.run(
        ["git", "diff", "--name-only", "HEAD~1", "--", "notebooks"], cwd=ROOT, capture_output=True, text=True
    )
    return {name.removeprefix("notebooks/")[:2] for name in git.stdout.split()}


EVERY = sorted(NOTEBOOKS.glob("*.ipynb"))
OPENED = CHOSEN or FIXED | changed()
CHAPTERS = [path for path in EVERY if "all" in CHOSEN or path.name[:2] in OPENED]

PICTURE = """\
import base64, io

import ipywidgets
from IPython.display import display
from PIL import Image

slider = ipywidgets.IntSlider(value=5, min=1, max=9, description="grey")
upload = ipywidgets.FileUpload(description="Upload", multiple=True)
shown, names = ipywidgets.HTML(), ipywidgets.HTML()


def show(change=None):
    file = io.BytesIO()
    Image.new("L", (32, 32), slider.value * 25).save(file, "png")
    source = base64.b64encode(file.getvalue()).decode()
    shown.value = f'<img alt="a grey square" src="data:image/png;base64,{source}">'


def came(change):
    names.value = ", ".join(f"{file.name}: {len(file.content)} bytes" for file in upload.value)


slider.observe(show, "value")
upload.observe(came, "value")
show()
display(ipywidgets.VBox([slider, shown, upload, names]))"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """JupyterLab on a copy of the notebooks, so that the checkout stays as it is; with its folder."""
    folder = tmp_path_factory.mktemp("course") / "notebooks"
    ignore = shutil.ignore_patterns(".ipynb_checkpoints")
    shutil.copytree(NOTEBOOKS, folder, ignore=ignore)
    with browser_lab.server(folder, tmp_path_factory.mktemp("jupyter"), DATA) as address:
        yield folder, address


@pytest.fixture
def chapter(lab, browser):
    """Opens notebooks, and shuts down what it opened."""
    folder, address = lab
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    opened = []

    def open_it(notebook):
        name = notebook if isinstance(notebook, str) else write(notebook, folder, "99_throw_away.ipynb").name
        opened.append(Chapter(context.new_page(), address, name))
        return opened[-1]

    yield open_it
    for each in opened:
        each.close()
    context.close()
    (folder / "99_throw_away.ipynb").unlink(missing_ok=True)


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_chapter(chapter, path):
    page = chapter(path.name)
    stored = page.pictures()
    assert stored and all(alt and seen for alt, seen in stored), "a figure of the file is not seen before the cells run"
    assert page.run_all() == []
    assert page.not_run() == []
    assert all(alt and seen for alt, seen in page.pictures())
    assert page.move_a_control(), "no slider or list, moved by keyboard, changed what is shown beside it"
    assert page.errors() == [], "a callback failed"
    assert page.left == set(), "the page asked for something from the network"
    assert page.console == []


# The test itself is tested: on a notebook that is as it should be, and on ones that are not.


def test_good_notebook_answers_the_keyboard_and_takes_files(chapter, tmp_path):
    notebook = good()
    notebook.cells.append(code(PICTURE))
    page = chapter(notebook)
    assert page.run_all() == []
    assert page.not_run() == []
    assert page.move_a_control() == "slider"
    (tmp_path / "zebra.png").write_bytes(b"stripes")
    (tmp_path / "猫.png").write_bytes(b"cat")
    page.upload([tmp_path / "zebra.png", tmp_path / "猫.png"])
    page.page.wait_for_selector("text=zebra.png: 7 bytes, 猫.png: 3 bytes")
    assert (page.console, page.left) == ([], set())


def test_stored_figure_is_seen_in_a_notebook_that_is_not_trusted(chapter):
    notebook = good()
    pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
    for source in (f"data:image/png;base64,{pixel}", "data:image/png;base64,broken"):
        figure = f'<figure><img alt="a grey dot" src="{source}"><figcaption>A dot.</figcaption></figure>'
        notebook.cells[2].outputs.append(new_output("display_data", data={"text/html": figure, "text/plain": ""}))
    page = chapter(notebook)
    assert page.pictures() == [["a grey dot", True], ["a grey dot", False]]


def test_failing_cell_is_seen(chapter):
    notebook = good()
    notebook.cells.append(code("1 / 0"))
    notebook.cells.append(code("print('never')"))
    page = chapter(notebook)
    assert page.run_all() == ["cell 13: ZeroDivisionError: division by zero"]
    assert page.not_run() == [14]


def test_dead_control_is_seen(chapter):
    notebook = good()
    notebook.cells = [cell for cell in notebook.cells if "explore" not in cell.metadata.tags]
    notebook.cells = [cell for cell in notebook.cells if "verify" not in cell.metadata.tags]
    notebook.cells.append(code(PICTURE.replace('slider.observe(show, "value")', "")))
    page = chapter(notebook)
    assert page.run_all() == []
    assert page.move_a_control() is None


def test_console_error_and_network_request_are_seen(chapter):
    notebook = good()
    notebook.cells.append(text('<img alt="from elsewhere" src="http://course.invalid/zebra.png">'))
    notebook.cells.append(code("from IPython.display import Javascript\nJavascript('console.error(\"zebra\")')"))
    page = chapter(notebook)
    page.run_all()
    assert page.left == {"course.invalid"}
    assert any("zebra" in said for said in page.console)


def test_teach_it_learns_the_pictures_that_are_uploaded(chapter, tmp_path):
    """Two classes by name and upload, train, and a picture that it has not seen: as a student does it in chapter 02."""
    page = chapter("02_off_the_shelf_features.ipynb")
    assert page.run_all() == []
    stickers = DATA / "stickers" / "photo"
    for name in ("flower", "vehicle"):
        page.page.get_by_placeholder("name of the class").fill(f"my {name}")
        page.page.get_by_placeholder("name of the class").press("Tab")
        files = sorted((stickers / name).glob("*.png"))
        page.upload(files[:4], button="its pictures")
        page.page.wait_for_selector(f"text=4 pictures of my {name}")
    page.page.get_by_role("button", name="train", exact=True).click()
    page.page.wait_for_selector("text=my flower (4)")
    unseen = sorted((stickers / "vehicle").glob("*.png"))[-1]
    page.upload([unseen], button="try a picture")
    page.page.wait_for_selector("text=It says my vehicle")
    (tmp_path / "note.png").write_text("no picture")
    page.upload([tmp_path / "note.png"], button="try a picture")
    page.page.wait_for_selector("text=note.png")
    assert page.console == []


PAD = """\
from IPython.display import display

from tlcourse.classroom import sketch
from tlcourse.material import data

letters = {name: data.scripts(name).images for name in ("Thai", "Hebrew")}
display(sketch.Sketch(lambda images: images.reshape(len(images), -1).astype("float32"), letters))"""


def test_what_is_drawn_on_the_pad_is_named(chapter):
    """A stroke as the third example, the pad cleared, and the same stroke as the sixth."""
    notebook = good()
    notebook.cells.append(code(PAD))
    page = chapter(notebook)
    assert page.run_all() == []
    canvas = page.page.locator("canvas[aria-label]")
    canvas.scroll_into_view_if_needed()
    for slot in ("3", "the sixth"):
        page.page.get_by_role("button", name=slot, exact=True).click()
        box, mouse = canvas.bounding_box(), page.page.mouse
        mouse.move(box["x"] + 30, box["y"] + 20)
        mouse.down()
        mouse.move(box["x"] + 60, box["y"] + 120, steps=4)
        mouse.move(box["x"] + 130, box["y"] + 130, steps=4)
        mouse.up()
        page.page.get_by_role("button", name="clear the pad").click()
    page.page.wait_for_selector("text=The sixth is taken for number 3.", timeout=30_000)
    page.page.wait_for_selector("text=3: 0.0", timeout=30_000)
    assert (page.console, page.left) == ([], set())
