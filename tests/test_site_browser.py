"""The site in a real browser, from a folder and from a server, without a kernel: by keyboard, and with axe's eyes."""

import contextlib
import functools
import os
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import browser_lab
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import TimeoutError as TooLong
from test_browser import CHAPTERS, changed

from tlcourse.workshop import site_states

pytestmark = pytest.mark.skipif(
    browser_lab.chromium() is None,
    reason="no Chromium on PATH (Debian and Ubuntu: apt install chromium), so that the site is not opened in a browser",
)
FIXED = {"00", "06"}  # with a quiz and a guess of each kind; with a list and a slider
OPENED = CHAPTERS if os.environ.get("TLCOURSE_BROWSER") else [p for p in CHAPTERS if p.name[:2] in FIXED | changed()]
START = "notebooks/00_start_here.html"
LIMIT = 30_000
UNCOVER = "document.querySelectorAll('.tl-cover:not([hidden]) button').forEach(each => each.click())"


@pytest.fixture(scope="module")
def address(built):
    """The site on a server of this machine."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(built))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def visit(browser):
    """Opens pages in one new browser, and notes what leaves the machine and what goes wrong."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})

    def visit(url, **how):
        page = context.new_page()
        page.left, page.said = set(), []
        page.set_default_timeout(LIMIT)

        def keep_inside(route):
            asked = urlsplit(route.request.url)
            if asked.scheme in ("file", "data", "blob") or asked.hostname == "127.0.0.1":
                return route.continue_()
            page.left.add(asked.hostname)
            return route.abort()

        page.route("**/*", keep_inside)
        page.on("pageerror", lambda error: page.said.append(str(error)))
        page.on("console", lambda message: page.said.append(message.text) if message.type == "error" else None)
        if how:
            page.emulate_media(**how)
        page.goto(url)
        return page

    yield visit
    context.close()


def well(page):
    return page.left == set() and [said for said in page.said if "favicon" not in said] == []


@pytest.mark.parametrize("path", OPENED, ids=lambda path: path.stem)
@pytest.mark.parametrize("place", ["server", "folder"])
def test_every_control_of_a_chapter_moves_by_keyboard(visit, built, address, path, place):
    base = address if place == "server" else built.as_uri()
    page = visit(f"{base}/notebooks/{path.stem}.html")
    page.evaluate(UNCOVER)
    stored = site_states.read(path.name[:2])
    for cell, told in stored.items():
        for n, widget in enumerate(told):
            if widget["kind"] == "explore":
                shows_every_setting(page, f"#w-{cell}-{n}")
    assert well(page), (page.left, page.said)


def shows_every_setting(page, widget):
    """Each control by Tab, each key on it another picture or text, until one of them shows something else."""
    page.locator(f"{widget} .tl-controls :is(input, select)").first.focus()
    pane = page.locator(f"{widget} .tl-pane")
    page.wait_for_function("pane => pane.innerHTML", arg=pane.element_handle())
    changes = []
    for control in page.locator(f"{widget} .tl-controls :is(input, select)").all():
        assert control.evaluate("control => control === document.activeElement")
        before, at = pane.inner_html(), control.evaluate("c => c.type === 'checkbox' ? c.checked : c.value")
        last = control.evaluate("c => c.type === 'range' ? +c.value === +c.max : c.selectedIndex === c.length - 1")
        kind = control.evaluate("c => c.type")
        page.keyboard.press("Space" if kind == "checkbox" else "ArrowUp" if last and kind != "range" else
                            "ArrowLeft" if last else "ArrowRight" if kind == "range" else "ArrowDown")  # fmt: skip
        assert control.evaluate("c => c.type === 'checkbox' ? c.checked : c.value") != at
        page.wait_for_function("name => location.hash.startsWith(name + '?')", arg=widget)
        with contextlib.suppress(TooLong):  # some controls change nothing at some settings
            page.wait_for_function("([pane, was]) => pane.innerHTML !== was", arg=[pane.element_handle(), before],
                                   timeout=2000)  # fmt: skip
        changes.append(pane.inner_html() != before)
        page.keyboard.press("Tab")
    assert any(changes), f"{widget}: no control shows anything else"


def test_a_setting_is_in_the_address(visit, address):
    widget = next(
        (path, f"w-{cell}-{n}", told)
        for path in OPENED
        for cell, widgets in site_states.read(path.name[:2]).items()
        for n, told in enumerate(widgets)
        if told["kind"] == "explore"
    )
    path, name, told = widget
    page = visit(f"{address}/notebooks/{path.stem}.html")
    moved, before = page.locator(f"#{name} .tl-pane"), page.locator(f"#{name} .tl-pane").inner_html()
    slider = page.locator(f"#{name} .tl-controls input[type=range]").first
    slider.focus()
    page.keyboard.press("End")
    page.wait_for_function("location.hash.includes('?')")
    # The address changes at once, the picture when its file has come.
    page.wait_for_function("([pane, before]) => pane.innerHTML !== before", arg=[moved.element_handle(), before])
    shown = moved.inner_html()
    again = visit(page.url)
    pane = again.locator(f"#{name} .tl-pane")
    again.wait_for_function("([pane, shown]) => pane.innerHTML === shown", arg=[pane.element_handle(), shown])
    last = next(control for control in told["controls"] if control["kind"] == "slider")["values"][-1]
    assert again.locator(f"#{name} output").first.inner_text() == last
    assert pane.evaluate(
        "pane => { const b = pane.getBoundingClientRect(); return b.top < innerHeight && b.bottom > 0; }"
    )


def test_a_result_is_covered_until_the_guess_is_made_and_the_guess_is_remembered(visit, address):
    page = visit(f"{address}/{START}")
    told = page.locator("#cell-05d6c665 > .cell_output")
    assert not told.is_visible() and page.locator("#cell-05d6c665 .tl-cover").is_visible()
    slider = page.locator("#w-6746dd10-0 input")
    slider.focus()
    for key in ("ArrowRight", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    page.locator("#w-223c7ee9-0 input").nth(2).focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert not told.is_visible(), "one guess is still lacking"
    page.locator("#w-2c0b3d2d-0 input").focus()
    for key in ("Home", "Tab", "Enter"):
        page.keyboard.press(key)
    assert told.is_visible()
    assert "start 52 %; gains more about equal; end -20 points." in told.inner_text()
    page.reload()
    assert told.is_visible() and "start 52 %" in told.inner_text()
    assert page.locator("#w-6746dd10-0 [role=status]").inner_text() == "Noted: 52 %."
    mark = page.locator("figure[data-guesses] .tl-mark").first
    assert mark.inner_text() == "your guess: 52 %"
    before = mark.bounding_box()
    page.locator("#w-6746dd10-0 input").focus()
    for key in ("Home", "Tab", "Enter"):
        page.keyboard.press(key)
    at = mark.bounding_box()
    assert mark.inner_text() == "your guess: 0 %" and at["y"] > before["y"] + 50 and abs(at["x"] - before["x"]) < 2
    assert well(page), page.said


def test_who_wants_to_see_is_shown(visit, address):
    page = visit(f"{address}/{START}")
    page.locator("#cell-05d6c665 .tl-cover button").focus()
    page.keyboard.press("Enter")
    told = page.locator("#cell-05d6c665 > .cell_output")
    assert told.is_visible() and "start none" in told.inner_text()
    page.reload()
    assert not told.is_visible()


def test_without_scripts_everything_is_there(browser, address):
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(f"{address}/{START}")
    assert page.locator("#cell-05d6c665 > .cell_output").is_visible()
    assert "Your guess first. A network" in page.locator("#w-6746dd10-0").inner_text()


def test_a_quiz_answers_and_says_why(visit, address):
    (quiz,) = (w for w in site_states.read("00")["d535d7cf"])
    page = visit(f"{address}/{START}")
    page.locator("#w-d535d7cf-0").scroll_into_view_if_needed()
    for i, (question, right) in enumerate(zip(quiz["questions"], (True, False), strict=False)):
        options = page.locator(f"#w-d535d7cf-0 fieldset >> nth={i} >> input")
        n = question["options"].index(question["truth"])
        options.nth(n if right else n - 1).check()
        reply = page.locator(f"#w-d535d7cf-0 fieldset >> nth={i} >> [role=status]").inner_text()
        assert reply.startswith("✓" if right else f"✗ {question['truth']}")
        assert question["why"][:20] in reply
    score = page.locator("#w-d535d7cf-0 .tl-pane > [role=status]")
    assert score.inner_text() == "1 of 2 right, 4 to go."
    other = visit(page.url)
    other.locator("#w-d535d7cf-0 .tl-pane > [role=status]", has_text="1 of 2 right").wait_for()
    assert well(page)


def test_the_scoreboard_sorts_and_shows_one_verdict(visit, address):
    page = visit(f"{address}/scoreboard.html")
    verdict = page.locator(".tl-controls select").nth(1)
    verdict.select_option("contradicted")
    shown = page.locator(".tl-board tbody tr:visible")
    assert set(shown.locator(".tl-verdict").all_inner_texts()) == {"contradicted"}
    verdict.select_option("")
    page.get_by_role("button", name="claim", exact=True).click()
    claims = page.locator(".tl-board tbody tr td:nth-child(2)").all_inner_texts()
    assert len(claims) > 100 and claims[0][0] == "“" or claims[0][0] <= claims[-1][0]
    page.locator(".tl-board tbody a").first.click()
    page.wait_for_function("document.querySelector(location.hash)")
    assert well(page)


def test_search_finds(visit, address):
    page = visit(f"{address}/search.html?q=batch+normalisation")
    page.locator("#search-results li a").first.wait_for()
    assert well(page)


def test_a_formula_is_drawn(visit, address):
    page = visit(f"{address}/{START}")
    page.locator("mjx-container svg").first.wait_for()
    assert page.locator("mjx-merror").count() == 0 and well(page)


@pytest.mark.parametrize("how", [{"color_scheme": "light"}, {"color_scheme": "dark"}], ids=["light", "dark"])
@pytest.mark.parametrize("name", ["index", "scoreboard", "lectures", *(f"notebooks/{path.stem}" for path in OPENED)])
def test_axe_finds_nothing_serious(visit, address, name, how):
    page = visit(f"{address}/{name}.html", **how)
    page.wait_for_timeout(300)
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    page.evaluate(UNCOVER)
    page.wait_for_timeout(800)  # the theme looks a little later which code can be scrolled
    found = Axe().run(page).response["violations"]
    bad = [f for f in found if f["impact"] in ("serious", "critical")]
    said = "\n".join(f"{f['id']}: {f['help']}: {[n['html'][:150] for n in f['nodes'][:3]]}" for f in bad)
    assert not bad, said


@pytest.mark.parametrize("name", ["index", "scoreboard", "lectures", *(f"notebooks/{path.stem}" for path in OPENED)])
def test_a_telephone_is_wide_enough(visit, address, name):
    page = visit(f"{address}/{name}.html")
    page.set_viewport_size({"width": 390, "height": 800})
    page.evaluate(UNCOVER)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("name", ["notebooks/04_fine_tuning", "scoreboard"])
def test_on_paper_nothing_is_covered_or_cut_off(visit, address, name):
    page = visit(f"{address}/{name}.html")
    page.set_viewport_size({"width": 700, "height": 1000})  # the width of a sheet of A4 within its margins
    page.emulate_media(media="print")
    cut = """[...document.querySelectorAll('.bd-article :is(pre, table, figure)')].filter(
        node => node.checkVisibility() && node.getBoundingClientRect().right > innerWidth + 1
    ).map(node => node.outerHTML.slice(0, 200))"""
    assert page.evaluate(cut) == []
    covered = page.locator("[class*=tag_w-] > .cell_output")
    assert name == "scoreboard" or covered.count() > 0
    assert all(covered.nth(n).is_visible() for n in range(covered.count()))


def test_the_first_page_is_light(browser, address):
    page, sizes = browser.new_page(), []
    page.on("response", lambda answer: sizes.append(len(answer.body())) if answer.ok else None)
    page.goto(f"{address}/index.html")
    page.wait_for_load_state("networkidle")
    assert sum(sizes) < 1e6
