"""A chapter's deck in a real browser, gone through with the keyboard on a screen of 1280 x 720.

Chapter 06 alone, for time is short; TLCOURSE_BROWSER="00 02" opens these, TLCOURSE_BROWSER=all every chapter.
"""

import os

import browser_lab
import nbformat
import pytest
from browser_lab import SHOWN
from nbformat.v4 import new_output
from notebook_maker import code, good, text, write
from test_browser import PICTURE

from tlcourse.workshop import NOTEBOOKS, deck, presenting
from tlcourse.workshop.deck_cells import WIDGET
from tlcourse.workshop.lab_server import HOMES

pytestmark = pytest.mark.skipif(
    browser_lab.chromium() is None,
    reason="no Chromium on PATH (Debian and Ubuntu: apt install chromium), so that no deck is opened in a browser",
)
CHOSEN = os.environ.get("TLCOURSE_BROWSER", "06").split()
CHAPTERS = [path for path in sorted(NOTEBOOKS.glob("*.ipynb")) if CHOSEN == ["all"] or path.name[:2] in CHOSEN]
# Pixels of 1280 x 720 for text, and for what stands in figures' captions, tables, code and the slide's number.
TEXT, SMALL = 24, 17

# What is on the slide: its pictures, widgets and code, what sticks out or is cut off, and the sizes of its letters.
LOOK = """() => {
    const cells = [...document.querySelectorAll('.jp-Deck .jp-deck-mod-visible')];
    const all = cells.flatMap(cell => [...cell.querySelectorAll('*')]).filter(each => each.checkVisibility());
    const of = selector => all.filter(each => each.matches(selector));
    const out = box => box.left < -1 || box.top < -1 || box.right > innerWidth + 1 || box.bottom > innerHeight + 1;
    const cut = each => getComputedStyle(each).overflow !== 'visible'
        && (each.scrollWidth > each.clientWidth + 2 || each.scrollHeight > each.clientHeight + 2);
    const size = each => parseFloat(getComputedStyle(each).fontSize) * each.currentCSSZoom;
    const written = each => [...each.childNodes].some(node => node.nodeType === 3 && node.data.trim());
    return {
        pictures: of('img').filter(image => image.naturalWidth && image.clientHeight > 60).map(image =>
            [Boolean(image.closest('.jupyter-widgets')), image.alt]),
        widgets: of('.jp-OutputArea-output .jupyter-widgets:not(.jupyter-widgets *)').length,
        large: cells.filter(cell => cell.querySelector('.jp-OutputArea :is(img, .jupyter-widgets)')).length,
        code: of('.cm-content').map(each => each.cmView?.view?.state.doc.toString() ?? each.innerText),
        out: of('img, p, li, td, th, pre, figcaption, label, button, .cm-line, .jupyter-widgets, .noUi-target')
            .filter(each => out(each.getBoundingClientRect())).map(each => each.outerHTML.slice(0, 120)),
        cut: of('.cm-scroller, pre, figure, .widget-html-content, .jp-OutputArea-output').filter(cut)
            .map(each => each.outerHTML.slice(0, 120)),
        text: Math.min(...of('.jp-RenderedMarkdown :is(p, li)').map(size)),
        small: Math.min(...of('td, th, pre, pre *, figcaption, label, .widget-html-content, .cm-line')
            .filter(written).map(size)),
        says: cells.map(cell => cell.innerText).join(' '),
    };
}"""


@pytest.fixture
def untouched(tmp_path, monkeypatch):
    """A user's own Jupyter folders, empty; what is written there would change the next Lab."""
    for name, place in HOMES.items():
        monkeypatch.setenv(name, str(tmp_path / place))
    yield
    assert not any(path.is_file() for path in tmp_path.rglob("*"))


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_deck(path, untouched):
    assert "picture" in go_through(path), "no slider or list, moved by keyboard, changed the picture beside it"


def test_deck_of_a_small_notebook(tmp_path_factory, untouched):
    """The same in a quarter of a minute: guesses, a list beside its picture, long code, and a note."""
    guess = (
        "from tlcourse.classroom import widgets\nwidgets.Prediction('Which?', options=['one, two, three, four'] * 2)"
    )
    notebook = good()
    notebook.cells = [
        text("# Title\n\n" + "A sentence of a few words. " * 60),
        text("Psst, between us alone.", slide="notes"),
        code(guess, "predict"),
        code("print(1)\n" * 14, "lesson"),
        code(PICTURE.replace("IntSlider(value=5, min=1, max=9", "Dropdown(value=5, options=range(1, 10)")),
        text("**Exercise 1.** Set x."),
        code("x = ...", "exercise"),
    ]
    path = write(notebook, tmp_path_factory.mktemp("deck"), "98_small.ipynb")
    for cell in notebook.cells[2], notebook.cells[4]:
        cell.outputs = [new_output("display_data", data={WIDGET: {}})]
    assert go_through(path, notebook) == {None, "picture"}


def go_through(path, chapter=None):
    """Open a deck, go through it, and hold it to all that the room may ask.

    Args:
        path: the chapter.
        chapter: what it holds, if its outputs are not in the file.

    Returns:
        What `move` saw on the slides.
    """
    from playwright.sync_api import sync_playwright

    chapter = chapter or nbformat.read(path, as_version=4)
    slides, moved = [], set()
    with presenting.live(path, browser_lab.EXPOSED) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_lab.chromium(), args=browser_lab.ARGUMENTS)
        watched = browser_lab.Watched(browser.new_page(viewport={"width": 1280, "height": 720}))
        page = watched.page
        page.goto(address)
        for _ in presenting.turn(page):
            slides.append(page.evaluate(LOOK))
            moved.add(move(page))
        assert watched.left == set(), "the page asked for something from the network"
        assert watched.console == []
        page.add_style_tag(content=".jp-RenderedMarkdown p { font-size: 3000px !important; }")
        assert page.evaluate(LOOK)["out"], "this test does not see that something sticks out"
        browser.close()

    figures, widgets, sources, notes = wanted(chapter)
    pictures = [inside for slide in slides for inside, _ in slide["pictures"]]
    assert pictures.count(False) == figures, "not every figure was seen"
    assert sum(slide["widgets"] for slide in slides) == widgets, "not every widget was seen"
    assert max(slide["large"] for slide in slides) == 1, "a figure or a widget shares its slide with another"
    problems = {
        f"{number}, {slide['says'].strip()[:60]!r}": {what: slide[what] for what in ("out", "cut") if slide[what]}
        | {what: slide[what] for what, least in (("text", TEXT), ("small", SMALL)) if (slide[what] or least) < least}
        for number, slide in enumerate(slides, start=1)
    }
    assert {number: problem for number, problem in problems.items() if problem} == {}
    for slide in slides:
        assert all(squeezed(shown) in sources for shown in slide["code"])
        assert not any(note in squeezed(slide["says"]) for note in notes)
    return moved


def move(page):
    """Move a slider or a list of the slide by keyboard, as a person does who has clicked on it; Escape leaves it.

    Returns:
        "picture" if what is shown beside it changed, "value" if only its own value did, None if there is none to move.
    """
    control = page.locator(".jp-deck-mod-visible :is(.noUi-handle, .widget-dropdown select)").first
    if not control.count():
        return None
    area = page.locator(".jp-deck-mod-visible .jp-OutputArea-output:has(.jupyter-widgets)").first
    before, number = area.evaluate(SHOWN), page.evaluate(presenting.AT)
    value = "each => each.getAttribute('aria-valuenow') ?? each.value"
    stood = control.evaluate(value)
    control.focus()
    slider = control.get_attribute("role") == "slider"
    for key in ("ArrowRight", "ArrowLeft") if slider else ("ArrowDown", "ArrowUp"):
        page.keyboard.press(key)
        if control.evaluate(value) != stood:
            break
    assert page.evaluate(presenting.AT) == number, "the arrow key turned the slide instead of moving the control"
    assert control.evaluate(value) != stood, "the arrow key did not move the control"
    kind = "picture" if browser_lab.shows_something_else(page, area, before) else "value"
    page.keyboard.press("Escape")
    return kind


def wanted(chapter):
    """What the room must see of a chapter, counted in its file: figures, widgets, code; and the notes, not."""
    figures = widgets = 0
    code, notes, in_task = set(), set(), False
    for cell in chapter.cells:
        tags, kind = set(cell.metadata.get("tags", [])), cell.metadata.get("slideshow", {}).get("slide_type")
        if kind == "notes":
            notes.add(squeezed(deck.plain(cell.source))[:60])
        if cell.cell_type == "markdown":
            in_task |= deck.TASK.search(cell.source) is not None
            continue
        if in_task or tags & deck.SHOWN_CODE:
            code.add(squeezed(cell.source))
        in_task &= "exercise" not in tags
        if not tags & {"check", "exercise"} and (kind != "skip" or "solution" in tags):
            data = [output.get("data", {}) for output in cell.outputs]
            figures += sum(each.get("text/html", "").count("<img") for each in data)
            widgets += sum(WIDGET in each for each in data)
    return figures, widgets, code, notes


def squeezed(text):
    """Text without its white space, which a browser renders in its own way."""
    return "".join(text.split())
