"""A chapter's slides hold all that the room is to see, in order, and nothing that it is not."""

import nbformat
import pytest
from nbformat.v4 import new_output
from notebook_maker import code, good, text

from tlcourse.workshop import NOTEBOOKS, WorkshopError, deck, presenting
from tlcourse.workshop.deck_cells import COPY, HTML, WIDGET

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
FIGURE = f'<figure><img alt="a dot" src="data:image/png;base64,{PIXEL}"><figcaption>A dot.</figcaption></figure>'
CHAPTERS = sorted(NOTEBOOKS.glob("*.ipynb"))


def shows(source, *tags, **data):
    """A cell of code with one output of some types."""
    cell = code(source, *tags)
    cell.outputs = [new_output("display_data", data={name.replace("_", "/"): value for name, value in data.items()})]
    return cell


def widget(source, *tags, model="m1"):
    cell = code(source, *tags)
    cell.outputs = [new_output("display_data", data={WIDGET: {"model_id": model}, "text/plain": "Prediction()"})]
    return cell


def notebook(*cells):
    made = good()
    made.cells = list(cells)
    return made


def seen(slide):
    """All that is on a slide, as text."""
    parts = []
    for cell in slide.cells:
        if cell.cell_type == "markdown" or not cell.metadata.jupyter.source_hidden:
            parts.append(cell.source)
        parts += [str(dict(output)) for output in cell.get("outputs", ())]
    return "\n".join(parts)


def of(*cells):
    """The slides of a notebook of these cells, without the empty first."""
    return [slide for slide in deck.slides(notebook(*cells)) if slide.cells]


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_chapter_is_whole_and_in_order(path):
    chapter = nbformat.read(path, as_version=4)
    before = nbformat.writes(chapter)
    made = deck.deck(chapter, "'script'")
    nbformat.validate(made)
    assert nbformat.writes(chapter) == before, "the chapter itself was changed"
    run = [cell.source for cell in made.cells if cell.cell_type == "code"]
    run = [source for source in run if source != COPY and not source.startswith("%%javascript")]
    assert run == [cell.source for cell in chapter.cells if cell.cell_type == "code"], "run all must run the chapter"
    for slide in deck.slides(chapter):
        assert sum("<img" in str(cell.get("outputs")) for cell in slide.cells) <= 1, "a figure has a slide of its own"
    slides = [seen(slide) for slide in deck.slides(chapter)]
    shown = "\n".join(slides)
    for cell in chapter.cells:
        tags, kind = set(cell.metadata.get("tags", [])), cell.metadata.get("slideshow", {}).get("slide_type")
        if cell.cell_type == "markdown" and kind not in ("notes", "skip"):
            assert all(block in shown for block in deck.split(cell.source))
        if kind == "notes":
            assert cell.source not in shown
        if cell.cell_type == "code" and not tags & {"check", "exercise", "solution"} and kind != "skip":
            for output in cell.outputs:
                data = output.get("data", {})
                figures = data.get(HTML, "").split("</figure>")
                for part in figures[:-1] if len(figures) > 1 else [data.get(HTML, "")]:
                    assert repr(part)[1:-1] in shown
                if WIDGET in data:
                    (where,) = [slide for slide in slides if data[WIDGET]["model_id"] in slide]
                    assert where.count("model_id") == 1 and "<img" not in where, "a widget has a slide of its own"


def test_result_of_a_guess_comes_later_and_nothing_large_stands_beside_it():
    guess, figure = widget("guess", "predict"), shows("plot", text_html=FIGURE)
    slides = of(
        text("# Title"), text("Think of it.", slide="-"), guess, shows("gain", text_markdown="**4 points**"), figure
    )
    assert ["model_id" in seen(slide) for slide in slides] == [False, True, False]
    assert "4 points" in seen(slides[2])  # a line may stand above a figure
    long = of(text("# Title"), text("word " * 150, slide="-"), figure)
    assert [("<img" in seen(slide), "word" in seen(slide)) for slide in long] == [(False, True), (True, False)]


def test_guesses_of_one_cell_get_a_slide_each():
    cell = widget("display(a, b)", "predict")
    cell.outputs += widget("", model="m2").outputs
    slides = of(text("# Title"), cell)
    assert ["m1" in seen(slide) for slide in slides] == [False, True, False]
    assert ["m2" in seen(slide) for slide in slides] == [False, False, True]


@pytest.mark.parametrize("kind", ["-", None])
def test_code_is_seen_where_it_is_the_lesson(kind):
    cells = [code("setup()"), code("lesson()", "lesson"), code("print(1)", "figure"), code("skipped()", slide="skip")]
    for cell in cells[:3]:
        cell.metadata.slideshow = {"slide_type": kind} if kind else {}
    slides = of(text("# Title"), *cells)
    shown = "\n".join(map(seen, slides))
    assert "lesson()" in shown and "setup()" not in shown and "print(1)" not in shown and "skipped()" not in shown


def test_task_and_blank_stand_together_the_check_is_hidden_and_the_solution_follows():
    check, solution = code("checks.it(x)", "check", slide="skip"), code("x = 2", "solution", slide="skip")
    check.outputs = [new_output("stream", text="Nothing to check yet")]
    solution.outputs = [new_output("stream", text="right!")]
    blank = code("x = ...", "exercise")
    slides = of(text("# Title"), text("Some text.\n\n**Exercise 1.** Set x.", slide="-"), blank, check, solution)
    assert [("Set x" in seen(slide), "x = ..." in seen(slide), "x = 2" in seen(slide)) for slide in slides] == [
        (False, False, False), (True, True, False), (False, False, True)]  # fmt: skip
    assert "right!" in seen(slides[2]) and "Nothing to check" not in "".join(map(seen, slides))


def test_buggy_code_is_seen_and_the_task_again_where_it_took_the_screen():
    bug = shows("buggy()", text_plain="wrong")
    slides = of(text("# Title"), text("**Bug hunt.** Find it."), bug, code("mended = ...", "exercise", "bug-hunt"))
    assert "buggy()" in seen(slides[1])
    assert "Find it" in seen(slides[2]) and "mended = ..." in seen(slides[2])


def test_long_text_is_cut_between_blocks_and_headings_stay_with_their_text():
    paragraphs = [f"{letter} " * 240 for letter in "abcdef"]
    slides = of(text("# Title\n\n" + "\n\n".join(paragraphs[:3]) + "\n\n## Second\n\n" + "\n\n".join(paragraphs[3:])))
    assert all(slide.used <= deck.HEIGHT + deck.SQUEEZE for slide in slides)
    blocks = [block.strip() for slide in slides for block in deck.split(slide.cells[0].source)]
    letters = [each.strip() for each in paragraphs]
    assert blocks == ["# Title", *letters[:3], "## Second", *letters[3:]]
    assert not any(deck.split(slide.cells[0].source)[-1].startswith("#") for slide in slides)
    assert {slide.title for slide in slides} == {"Title", "Second"}


@pytest.mark.parametrize("whole", ["```python\na\n\nb\n```", "$$\na\n\nb\n$$", "- a\n- b", "| a |\n|---|\n| b |"])
def test_block_stays_whole(whole):
    assert deck.split(f"before\n\n{whole}\n\nafter") == ["before", whole, "after"]


def test_long_paragraph_is_cut_between_sentences_and_not_within_marks():
    first = "A sentence of a few words, and `one. Two. Three` more. " * 14
    long = f"{first}**Bold words.** " + "The end of it is far away. " * 20
    parts = deck.split(long)
    assert " ".join(parts) == long.strip() and len(parts) > 1
    assert all(part.endswith((".", ".**")) and part.count("`") % 2 == 0 for part in parts)
    assert max(map(deck.height, parts)) <= deck.HEIGHT


def test_long_code_and_its_output_get_a_slide_each():
    lesson = code("\n".join(f"line_{i} = {i}" for i in range(14)), "lesson")
    lesson.outputs = [new_output("stream", text="\n".join("output" for _ in range(8)))]
    slides = of(text("# Title\n\nWords."), lesson)
    assert [("line_13" in seen(slide), "output" in seen(slide)) for slide in slides[1:]] == [
        (True, False),
        (False, True),
    ]


def test_table_as_high_as_a_slide_leaves_what_stands_above_it():
    table = shows("costs()", text_html=f"<table>{'<tr><td>cost</td></tr>' * 13}</table>")
    slides = of(text("Some words.\n\nAnd more."), table)
    assert [("Some words" in seen(slide), "cost" in seen(slide)) for slide in slides] == [(True, False), (False, True)]
    heading = of(text("# Title"), table)
    assert len(heading) == 1, "a heading stands alone"


def test_every_slide_is_one_key_press_away():
    made = deck.deck(notebook(text("# Title"), code("x = ...", "exercise"), text("## Next"), code("y", "lesson")))
    kinds = [cell.metadata.get("slideshow", {}).get("slide_type") for cell in made.cells]
    layers = ["jupyterlab-slideshow" in cell.metadata for cell in made.cells]
    # A cell without a type is a key press more, so only the last slide may have one: nothing comes after it.
    assert (kinds, layers) == (["slide", None, "slide", None], [False, True, False, False])


def test_notes_are_on_paper_alone_with_their_slide():
    made = notebook(text("# Why <b>?"), text("Say *this* & that.", slide="notes"), text("## Then"), text("And more."))
    page = deck.notes_page(made)
    assert "<h1>Why &lt;b&gt;?</h1>" in page and "Say <em>this</em> &amp; that." in page
    assert page.index("Say") < page.index("Then") and page.count("<li>") == 3
    assert "Say" not in nbformat.writes(deck.deck(made))


def test_names_of_sections_cannot_break_the_stylesheet():
    made = deck.deck(notebook(text('# A "quoted" \\ `name`'), text("word " * 300, slide="-"), text("more " * 80)))
    styles = [cell.metadata.get("@deathbeds/jupyterlab-fonts") for cell in made.cells]
    words = [style["styles"][":root"] for style in styles if style]
    assert words[1]["--deck-title"] == "\"A 'quoted' name\""
    assert words[-1]["--deck-number"] == f'"{len(words)} / {len(words)}"'


# What is written instead of shown.


def test_pdf_without_a_browser_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(WorkshopError, match="needs Chromium or Chrome, and none is on PATH: install one"):
        presenting.write_pdf("00", tmp_path)


def test_notes_go_where_they_are_asked_to_go(tmp_path):
    assert presenting.write_notes("06", tmp_path) == tmp_path / "06_layer_transfer_notes.html"
    assert "Draw the two networks" in presenting.write_notes("06", tmp_path / "mine.html").read_text("utf-8")
