"""The site as files: what each page holds, what it covers, and that all it needs of the controls is stored."""

import copy
import json
import math
import re
import subprocess
from html import unescape

import nbformat
import pytest
from docutils import nodes
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tlcourse.workshop import NOTEBOOKS, WorkshopError, site, site_pages, site_sphinx, site_states

EVERY = sorted(NOTEBOOKS.glob("*.ipynb"))
GLOSSARY = """\
# Glossary

## probe

*Also: linear probe*

A linear classifier on frozen features.

## batch normalisation

A layer.
"""
GUESS = {"kind": "prediction", "question": "How many?", "options": None, "low": 0, "high": 100, "step": 1, "unit": "%"}
GUESS |= {"words": "Your guess first. How many? (from 0 to 100 %)", "name": "guess"}


@pytest.fixture(scope="module", params=EVERY, ids=lambda path: path.stem)
def page(request):
    """A chapter, its page, the files that the page fetches, and what is stored of its controls."""
    notebook, number, files = nbformat.read(request.param, as_version=4), request.param.name[:2], {}
    before = copy.deepcopy(notebook)
    states = site_states.read(number)
    made = site_pages.page(notebook, number, states, files)
    assert notebook == before, "the notebook itself is left as it is"
    return notebook, made, files, states


def code_cells(made, tag):
    return [cell for cell in made.cells if tag in cell.metadata.get("tags", ())]


def test_every_widget_of_a_chapter_has_its_data(page):
    notebook, made, files, _ = page
    shown = [m for cell in notebook.cells for m in site_states.models(cell.get("outputs", ()))]
    text = json.dumps(made)
    assert text.count('class=\\"tl-widget\\"') == len(shown) > 3
    assert "application/vnd.jupyter.widget-view+json" not in text and "data:image" not in text
    for told in re.findall(r'<script type=\\"application/json\\">(.*?)</script>', text):
        light = json.loads(json.loads(f'"{told}"'))
        if "file" in light:
            heavy = files[light["file"].removeprefix("../")].decode()
            assert re.fullmatch(r'tlcourse\("w-[\w-]+", \{.*\}\);\n', heavy, re.DOTALL)


def test_settings_are_a_whole_grid_each_with_its_picture(page):
    *_, states = page
    moved = [widget for told in states.values() for widget in told if widget["kind"] == "explore"]
    assert moved
    for widget in moved:
        sizes = [len(control["values"]) for control in widget["controls"]]
        for control, size in zip(widget["controls"], sizes, strict=True):
            assert len(set(control["values"])) == size and 0 <= control["here"] < size
        assert len(widget["states"]) == math.prod(sizes) <= 60 and len(set(widget["states"])) > 1
        named = {int(n) for html in widget["states"] for n in re.findall(r'src="#(\d+)"', html)}
        assert named == set(range(len(widget.get("pictures", ()))))


def test_no_note_no_error_and_no_open_solution(page):
    notebook, made, *_ = page
    notes = [c.source for c in notebook.cells if c.metadata.get("slideshow", {}).get("slide_type") == "notes"]
    sources = "\n".join(cell.source for cell in made.cells)
    assert notes and not any(note in sources for note in notes)
    solutions = code_cells(made, "solution")
    assert solutions and all("hide-cell" in cell.metadata["tags"] for cell in solutions)
    assert all("hide-input" in cell.metadata["tags"] for cell in code_cells(made, "figure"))
    assert not any({"hide-input", "hide-cell"} & set(cell.metadata["tags"]) for cell in code_cells(made, "exercise"))
    for cell in code_cells(made, "check"):
        assert [output.data["text/markdown"] for output in cell.outputs] == [site_pages.CHECKED]
    assert not any(output.output_type == "error" for cell in made.cells for output in cell.get("outputs", ()))


def test_every_guess_covers_the_cell_that_reveals_it(page):
    notebook, made, _, states = page
    tags = {cell.metadata["cell_id"]: set(cell.metadata["tags"]) for cell in made.cells if cell.cell_type == "code"}
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for asked, told in states.items():
        start = next(i for i, cell in enumerate(cells) if cell.id == asked)
        for n, widget in enumerate(told):
            if widget["kind"] == "prediction":
                reveals = [c for c in cells[start + 1 :] if re.search(rf"\b{widget['name']}\.(said|value)\b", c.source)]
                shown = [cell for cell in reveals if cell.outputs]
                assert all(f"w-{asked}-{n}" in tags[cell.id] for cell in shown)
                assert any(f"w-{asked}-{n}" in of for of in tags.values()), (
                    f"nothing is covered by {widget['question']}"
                )


def small():
    """A round: a guess, what is done, the result, what it means; then a task and the next section."""
    shown = {"text/plain": GUESS["words"], site_states.outputs.WIDGET: {"model_id": "1"}}
    said = {"text/markdown": "It is 42 %. Your guess: none."}
    cells = [
        new_markdown_cell("# Title", id="title"),
        new_code_cell("guess = widgets.Prediction('How many?')\nguess", id="ask", metadata={"tags": ["predict"]},
                      outputs=[new_output("execute_result", data=shown)]),
        new_markdown_cell("How it is measured.", id="before"),
        new_code_cell("Markdown(f'It is 42 %. Your guess: {guess.said}.')", id="tell",
                      outputs=[new_output("execute_result", data=said)]),
        new_markdown_cell("So it was 42.\n\n**Exercise 1.** And now?", id="means"),
        new_markdown_cell("## Next", id="next"),
        new_code_cell("print(1)", id="later", outputs=[new_output("stream", text="1\n")]),
    ]  # fmt: skip
    return new_notebook(cells=cells)


def test_a_round_is_covered_from_its_result_to_its_task():
    made = site_pages.page(small(), "77", {"ask": [GUESS]}, {})
    found = ((re.search(r'id="cell-(\w+)"', cell.source), cell.source) for cell in made.cells)
    by_id = {name[1]: source for name, source in found if name}
    assert "tag_w-ask-0" not in by_id["before"] and "tag_w-ask-0" not in by_id["next"]
    covered, task = by_id["means"].split("**Exercise 1.**")
    assert "{container} tag_w-ask-0\nSo it was 42.\n::::::" in covered and "::::::" not in task
    tell, later = (cell for cell in made.cells if cell.metadata.get("cell_id") in ("tell", "later"))
    assert "w-ask-0" in tell.metadata["tags"] and "w-ask-0" not in later.metadata["tags"]
    assert tell.outputs[0].data["text/markdown"].endswith(f"Your guess: {site_pages.said('w-ask-0')}.")


def test_headings_stay_in_the_table_of_contents():
    cover = "::::::{container} tag_w-a-0\n%s\n::::::"
    made = site_pages.covered("what came out\n\n## Round 1: why?\n\nask", ["w-a-0"])
    assert made == f"{cover % 'what came out'}\n\n## Round 1: why?\n\n{cover % 'ask'}"


def test_a_guess_that_cannot_be_written_in_its_place_stands_above_the_result():
    notebook = small()
    notebook.cells[3].source = "plots.show(guess=guess.value)"
    made = site_pages.page(notebook, "77", {"ask": [GUESS]}, {})
    (tell,) = (cell for cell in made.cells if cell.metadata.get("cell_id") == "tell")
    assert site_pages.said("w-ask-0") in tell.outputs[0].data["text/html"] and len(tell.outputs) == 2


@pytest.mark.parametrize("states", [{}, {"ask": [GUESS, GUESS]}, {"ask": [{**GUESS, "words": "How few?"}]}])
def test_a_page_is_refused_whose_controls_are_not_stored(states):
    with pytest.raises(WorkshopError, match="run 77 --states"):
        site_pages.page(small(), "77", states, {})


def test_what_a_control_tells_is_held_to_what_is_stored():
    control = {"name": "n", "label": "n", "kind": "slider", "values": ["1", "2"], "here": 1}
    told = {"kind": "explore", "controls": [control], "buttons": [], "words": "n"}
    stored = [{**told, "states": ["<b>1.0</b>", '<img alt="two" src="#0">2.0'], "pictures": ["AAAA"]}]
    present = {**told, "state": '<img alt="two" src="data:image/png;base64,BBBB">2.0'}
    same = lambda new, **how: site_states.difference(stored, new, exact=True, **how)  # noqa: E731
    assert same([present]) is None
    assert "1 widgets" in same([])
    assert "2.1" in same([{**present, "state": "<b>2.1</b>"}]) and same([{**present, "state": ""}], live=True) is None
    moved = [{**present, "controls": [{**control, "values": ["1", "3"]}]}]
    assert "controls" in same(moved) and "controls" in same(moved, live=True)


def test_a_plot_keeps_its_colours_and_a_photograph_gets_small():
    import base64
    import io

    import numpy as np
    from PIL import Image

    def png(array):
        buffer = io.BytesIO()
        Image.fromarray(array).save(buffer, "png")
        return base64.b64encode(buffer.getvalue()).decode()

    def back(text):
        return np.asarray(Image.open(io.BytesIO(base64.b64decode(text))).convert("RGB"), int)

    plot = np.full((60, 80, 3), 255, "uint8")
    plot[30, 10:70], plot[10:50, 20] = (0, 114, 178), (213, 94, 0)
    assert np.array_equal(back(site_states.compressed(png(plot))), plot)
    ramp = np.linspace(0, 255, 200 * 200 * 3).reshape(200, 200, 3)
    noisy = (ramp + np.random.default_rng(0).normal(0, 12, ramp.shape)).clip(0, 255).astype("uint8")
    small = site_states.compressed(png(noisy))
    assert len(small) < len(png(noisy)) / 5 and np.abs(back(small) - noisy).mean() < 15


def paragraph(text, *more):
    document = nodes.document(None, None)
    document += nodes.paragraph("", "", nodes.Text(text), *more)
    return document


def test_the_first_use_of_a_term_leads_to_the_glossary():
    known = site_sphinx.terms(GLOSSARY)
    assert known == {"probe": "probe", "linear probe": "probe", "batch normalisation": "batch normalisation"}
    code = nodes.literal("", "probe")
    page = paragraph("probes are not meant; a Linear probe is, and no other probe.", code)
    page.insert(0, nodes.title("", "The probe"))
    page += nodes.paragraph("", "Batch normalisation")
    site_sphinx.link_terms(page, known, "../docs/glossary.html")
    links = {link.astext(): link["refuri"] for link in page.findall(nodes.reference)}
    assert links == {
        "Linear probe": "../docs/glossary.html#probe",
        "Batch normalisation": "../docs/glossary.html#batch-normalisation",
    }
    assert page.astext().split("\n\n")[1] == "probes are not meant; a Linear probe is, and no other probe.probe"


@pytest.mark.parametrize(
    ("origin", "address"),
    [
        ("https://github.com/somebody/course.git", "https://github.com/somebody/course"),
        ("git@github.com:somebody/course.git", "https://github.com/somebody/course"),
        ("ssh://git@gitlab.com/group/course", "https://gitlab.com/group/course"),
        ("/srv/git/course.git", None),
        ("", None),
    ],
)
def test_launch_buttons_need_an_address(origin, address, tmp_path, monkeypatch):
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    if origin:
        subprocess.run(["git", "-C", tmp_path, "remote", "add", "origin", origin], check=True)
    monkeypatch.setattr(site, "ROOT", tmp_path)
    monkeypatch.delenv("TLCOURSE_REPOSITORY", raising=False)
    assert site.repository.__wrapped__() == address


def test_links_lead_to_the_branch_that_a_clone_gets(tmp_path, monkeypatch):
    monkeypatch.delenv("TLCOURSE_BRANCH", raising=False)
    monkeypatch.setattr(site, "ROOT", tmp_path)
    assert site.branch.__wrapped__() == "main"
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-C"]
    origin, clone = tmp_path / "origin", tmp_path / "clone"
    subprocess.run(["git", "init", "-q", "-b", "trunk/2", origin], check=True)
    subprocess.run([*git, origin, "commit", "-q", "--allow-empty", "-m", "first"], check=True)
    subprocess.run(["git", "clone", "-q", origin, clone], check=True)
    subprocess.run([*git, clone, "switch", "-q", "-c", "mine"], check=True)
    monkeypatch.setattr(site, "ROOT", clone)
    assert site.branch.__wrapped__() == "trunk/2"
    monkeypatch.setenv("TLCOURSE_BRANCH", "other")
    assert site.branch.__wrapped__() == "other"


def test_nothing_but_a_site_is_overwritten(tmp_path):
    (tmp_path / "thesis.txt").write_text("two years")
    with pytest.raises(WorkshopError, match="Expected an empty folder"):
        site.build(tmp_path)
    assert (tmp_path / "thesis.txt").exists()


def test_stored_states_are_small():
    assert sum(path.stat().st_size for path in site_states.STATES.glob("*.json")) < 14e6
    assert {path.stem for path in site_states.STATES.glob("*.json")} == {path.name[:2] for path in EVERY}


def test_the_site_is_whole_and_of_the_size_that_was_promised(built):
    files = [path for path in built.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 40e6
    assert {path.stem for path in (built / "notebooks").glob("*.html")} == {path.stem for path in EVERY}


def test_every_link_inside_the_site_leads_somewhere(built):
    ids = {}
    for page in built.rglob("*.html"):
        ids[page] = set(re.findall(r'\bid="([^"]+)"', page.read_text(encoding="utf-8")))
    lost = set()
    for page in ids:
        for address in re.findall(
            r'<(?:a|img|script|link)\b[^>]*?\b(?:href|src)="([^"]+)"', page.read_text(encoding="utf-8")
        ):
            path, _, anchor = unescape(address).partition("#")
            path = path.partition("?")[0]
            if re.match(r"\w+:", path) or path.startswith("//"):
                continue
            target = (page.parent / path).resolve() if path else page
            if not target.exists() or (anchor and target in ids and anchor not in ids[target]):
                lost.add(f"{page.name}: {address}")
    assert not lost


def test_pages_link_to_binder_and_colab_and_take_no_script_from_elsewhere(built):
    page = (built / "notebooks" / f"{EVERY[0].stem}.html").read_text(encoding="utf-8")
    assert f"https://mybinder.org/v2/gh/somebody/course/trunk?urlpath=lab/tree/work/{EVERY[0].name}" in page
    assert f"https://colab.research.google.com/github/somebody/course/blob/trunk/notebooks/{EVERY[0].name}" in page
    for each in built.rglob("*.html"):
        assert not re.search(r'<(?:script|link|img|iframe)\b[^>]*(?:src|href)="(?:https?:)?//', each.read_text("utf-8"))


def test_the_scoreboard_has_a_row_for_each_claim_and_the_map_one_for_each_slide(built):
    from test_lectures import ROWS

    from tlcourse.classroom import scoreboard

    board = (built / "scoreboard.html").read_text(encoding="utf-8")
    assert set(re.findall(r'<tr id="claim-([\w-]+)"', board)) == {row.id for row in scoreboard.rows()}
    assert board.count("#cell-") > 0.9 * len(scoreboard.rows())
    slides = (built / "lectures.html").read_text(encoding="utf-8")
    assert slides.count("<tr") == len(ROWS) + 5
