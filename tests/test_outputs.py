"""What a cell shows is held to what the file stores: lines as a reader reads them, numbers as numbers."""

import re
from types import SimpleNamespace

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_output

from tlcourse.workshop import lockfile, outputs


def cell(*stored, tags=()):
    return new_code_cell("…", outputs=list(stored), metadata={"tags": list(tags)})


def printed(text, name="stdout"):
    return new_output("stream", name=name, text=text)


def shown(**data):
    names = {name: name.replace("_", "/") for name in data}
    return new_output("display_data", data={names[name]: value for name, value in data.items()})


def differs(stored, new, exact=True, tags=()):
    return outputs.difference(cell(stored, tags=tags), [new], exact=exact)


STALE = {
    "printed": (printed("good\n41\n"), printed("good\n42\n")),
    "markdown": (shown(text_markdown="| [a](a) |"), shown(text_markdown="| [a](a) | [b](b) |")),
    "table": (shown(text_html="<td>7</td>", text_plain="x"), shown(text_html="<td>8</td>", text_plain="x")),
    "alternative text": (shown(text_html='<img alt="up" src="x">'), shown(text_html='<img alt="down" src="x">')),
    "plain": (shown(text_plain="True"), shown(text_plain="False")),
    "a number more": (printed("1 2"), printed("1 2 3")),
    "sign": (printed("−0.5 points"), printed("0.5 points")),
    "decimal": (printed("89.5 %"), printed("89.6 %")),
    "parameters": (printed("22,713,216"), printed("22,713,217")),
}


@pytest.mark.parametrize("what", STALE)
def test_what_is_no_longer_true_is_told_unless_live(what):
    stored, new = STALE[what]
    assert differs(stored, new)
    assert differs(stored, stored) is None and differs(new, new) is None
    assert differs(stored, new, tags=["live"]) is None
    assert differs(stored, printed("")) and differs(printed(""), new), "an output less, or more"


SAME = {
    "picture": (
        shown(text_html='<img alt="a" src="data:image/png;base64,AAAA">'),
        shown(text_html='<img alt="a" src="data:image/png;base64,BBBB+/8=">'),
    ),
    "picture in markdown": (
        shown(text_markdown="![a](data:image/png;base64,AAAA)"),
        shown(text_markdown="![a](data:image/png;base64,BBBB)"),
    ),
    "bare picture": (
        shown(image_png="AAAA", text_plain="<Figure at 1>"),
        shown(image_png="BB", text_plain="<Figure at 2>"),
    ),
    "widget": (
        new_output("display_data", data={outputs.WIDGET: {"model_id": "a"}, "text/markdown": "at 1"}),
        new_output("display_data", data={outputs.WIDGET: {"model_id": "b"}, "text/markdown": "at 2"}),
    ),
    "sign of nothing": (printed("+0.0 points"), printed("−0.0 points")),
    "address": (shown(text_plain="<object at 0x7f1fe660b9c0>"), shown(text_plain="<object at 0x7f2fe660b9a8>")),
    "id of a table": (
        shown(text_html='<style>#T_1b {}</style><td id="T_1b">7</td>'),
        shown(text_html='<style>#T_2c {}</style><td id="T_2c">7</td>'),
    ),
    "noise of float32": (printed("0.12345678 and 3e-08"), printed("0.12345671 and 5e-08")),
    "width of a column": (printed("a    1.0"), printed("a 1.0")),
    "stderr": (printed("a", name="stderr"), printed("b", name="stderr")),
}


@pytest.mark.parametrize("what", SAME)
def test_what_no_reader_reads_is_not_compared(what):
    assert differs(*SAME[what]) is None


@pytest.mark.parametrize(
    ("stored", "new", "same"),
    [
        ("89.5 %", "89.6 %", True),
        ("89.5 %", "85.0 %", False),
        ("0.01", "0.02", True),
        ("72 of 100", "73 of 100", True),
        ("72 %", "72 points", False),
        ("−0.5", "0.5", False),
    ],
)
def test_elsewhere_numbers_may_differ_a_little(stored, new, same):
    assert (differs(printed(stored), printed(new), exact=False) is None) == same


def test_streams_in_pieces_are_one():
    assert outputs.difference(cell(printed("one two\n")), [printed("one "), printed("two\n")], exact=True) is None


def test_the_first_line_that_differs_is_told_short():
    said = outputs.difference(cell(printed("a\n" + "b" * 999)), [printed("a\n" + "c" * 999)], exact=True)
    assert re.fullmatch(r"the file stores 'b{199}…', and a run gives 'c{199}…'", said)


@pytest.mark.parametrize("change", ["system", "machine", "version", "vectors"])
def test_only_the_locked_linux_on_such_a_processor_is_the_reference(monkeypatch, change):
    pins = {pin.name: next(iter(pin.specifier)).version for pin in lockfile.pins() if pin.marker is None}
    from importlib import metadata

    true, notebook = metadata.version, nbformat.v4.new_notebook(metadata={"tlcourse": {"vectors": outputs.vectors()}})
    monkeypatch.setattr(outputs, "_locked", outputs._locked.__wrapped__)
    monkeypatch.setattr(metadata, "version", lambda name: pins.get(name, true(name)))
    monkeypatch.setattr(outputs, "platform", SimpleNamespace(system=lambda: "Linux", machine=lambda: "x86_64"))
    assert outputs.on_reference(notebook)
    if change == "version":
        pins["tensorflow"] = "2.0"
    elif change == "vectors":
        notebook.metadata.tlcourse.vectors += " amx_tile"
    else:
        monkeypatch.setattr(outputs.platform, change, lambda: "other")
    assert not outputs.on_reference(notebook)
