"""The shape that every notebook of the course keeps; each rule yields the sentences that say where it is broken."""

import ast
import json
import re
import statistics

from notebook_plugin import CHECK_CALL, code_cells, tags

SLIDE_TYPES = {"slide", "subslide", "fragment", "skip", "notes"}
MEDIAN_STATEMENTS, NINTH_STATEMENTS, MOST_STATEMENTS = 3, 8, 20
WORDS_PER_LINE = (6, 16)
CELLS = (40, 80)
GOALS = 4
PARTS = {"exercise": 2, "explore": 1, "lesson": 1, "predict": 1, "verify": 1}  # how many cells at least have the tag
FILE_BYTES, WIDGET_BYTES = 3_000_000, 300_000
LINK = re.compile(r"\[(?:[^\]\\]|\\.)*\]\(\s*<?([^)\s>]+)>?[^)]*\)")
ABSOLUTE = re.compile(
    r"(?<![\w.~/:}>-])/(?:home|root|Users|tmp|usr|opt|var|mnt|work|private|content|srv)/|\b[A-Z]:\\{1,2}\w"
)
TYPED = re.compile(r"\b\d+\.\d+\b|\b\d+\s?%")


def markdown(notebook):
    """The markdown cells."""
    return [cell for cell in notebook.cells if cell.cell_type == "markdown"]


def number(notebook):
    """Pairs of the name by which a message calls a cell, and the cell; code cells are counted as nbval does."""
    code = 0
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type == "code":
            yield f"code cell {code}", cell
            code += 1
        else:
            yield f"{cell.cell_type} cell {index}", cell


def lines_of_code(source):
    """Lines that are neither empty nor a comment."""
    return [line for line in source.splitlines() if line.strip() and not line.strip().startswith("#")]


def parse(source):
    """The syntax tree of a code cell, its magics left out; None where it is not Python."""
    try:
        return ast.parse(re.sub(r"^\s*[%!].*$", "", source, flags=re.MULTILINE))
    except SyntaxError:
        return None


def statements(source):
    """How many statements a code cell has, those inside definitions and loops included."""
    tree = parse(source)
    return 0 if tree is None else sum(isinstance(node, ast.stmt) for node in ast.walk(tree))


def opens_with_comment(cell):
    """Whether the first line, which is all that JupyterLab shows of a folded cell, is a comment."""
    return cell.source.startswith("# ")


def prose(source):
    """Markdown without what is not said in the author's own words: code, formulas, link targets, quoted lectures."""
    text = re.sub(r"^(```|~~~).*?^\1", "", source, flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"\$\$.*?\$\$", "", text, flags=re.DOTALL)
    text = re.sub(r"`[^`]*`|\$[^$\n]*\$", "", text)
    text = LINK.sub(lambda link: link[0].split("](")[0], text)
    text = re.sub(r"https?://\S+|<[^>]+>", "", text)
    return "\n".join(line for line in text.splitlines() if not line.lstrip().startswith(">"))


def title_asks(path, notebook):
    first = notebook.cells[0] if notebook.cells else None
    line = first.source.splitlines()[0] if first is not None and first.source else ""
    if first is None or first.cell_type != "markdown" or not re.match(r"# .*\?\s*$", line):
        yield f"the first line must be a title that asks (`# …?`), not {line!r}"


def goals_are_few(path, notebook):
    cells = [cell for cell in notebook.cells if "goals" in tags(cell)]
    if len(cells) != 1:
        yield f"{len(cells)} cells are tagged `goals`, there must be one"
        return
    if not 1 <= goals_in(cells[0]) <= GOALS:
        yield f"the `goals` cell lists {goals_in(cells[0])} goals, it must list 1 to {GOALS}"


def goals_in(cell):
    """How many goals a `goals` cell lists."""
    return len(re.findall(r"^\s*(?:[-*+]|\d+[.)])\s+\S", cell.source, flags=re.MULTILINE))


def goals_have_exercises(path, notebook):
    """What is wrong with the goals that exercises name, by their place in the list: 1 is the first."""
    there = set(range(1, 1 + sum(goals_in(cell) for cell in notebook.cells if "goals" in tags(cell))))
    served = set()
    for name, cell in number(notebook):
        if "exercise" not in tags(cell):
            continue
        goals = cell.metadata.get("tlcourse", {}).get("goals") or []
        served.update(goals)
        if not goals or set(goals) - there:
            yield (
                f"{name} is an exercise for the goals {goals}: name one or more of {sorted(there)} in its metadata "
                "tlcourse.goals"
            )
    if there - served:
        yield f"no exercise serves the goals {sorted(there - served)}, counted from 1 in the cell tagged `goals`"


def is_executed(path, notebook):
    expected = 0
    for name, cell in number(notebook):
        if cell.cell_type != "code":
            continue
        expected += 1
        if not cell.source.strip():
            yield f"{name} is empty"
        if cell.execution_count != expected:
            yield f"{name} has execution count {cell.execution_count}, not {expected}: run the notebook from the top"
        for output in cell.outputs:
            if output.output_type == "error":
                yield f"{name} stores an error: {output.ename}"
            if output.output_type == "stream" and output.name == "stderr":
                yield f"{name} stores what went to stderr: {output.text.strip().splitlines()[-1][:100]!r}"


def pictures_have_alt_text(path, notebook):
    for name, cell in number(notebook):
        if cell.cell_type == "markdown":
            if re.search(r"!\[\s*\]\(", cell.source):
                yield f"{name} has a picture without alt text"
            yield from _without_alt(name, cell.source)
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            for kind in data:
                if kind.startswith("image/"):
                    yield f"{name} puts out a bare {kind}, which has no alt text: show a <figure> with <img alt=…>"
            yield from _without_alt(name, data.get("text/html", ""))
    for text in _strings(notebook.metadata.get("widgets", {})):
        yield from _without_alt("a widget", text)


def _without_alt(name, html):
    for image in re.findall(r"<img\b[^>]*>", html):
        alt = re.search(r"""\balt=(?:"([^"]*)"|'([^']*)')""", image)
        if alt is None or len((alt[1] or alt[2] or "").strip()) < 10:
            yield f"{name} shows an <img> without an alt text of at least 10 letters"


def _strings(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from _strings(each)


def cells_are_slides(path, notebook):
    for name, cell in number(notebook):
        if "slideshow" not in cell.metadata:
            continue  # it goes on the running slide
        kind = cell.metadata["slideshow"].get("slide_type")
        if kind not in SLIDE_TYPES:
            yield (
                f"{name} has slide_type {kind!r}, not one of {sorted(SLIDE_TYPES)}: a cell for the running slide has "
                "no slideshow metadata"
            )


def exercises_are_trios(path, notebook):
    """Exercise, check, solution, in three code cells that follow each other."""
    cells = code_cells(notebook)
    for index, cell in enumerate(cells):
        kinds = [tag for tag in tags(cell) if tag in ("exercise", "check", "solution")]
        name = f"code cell {index}"
        if len(kinds) > 1:
            yield f"{name} is tagged {' and '.join(kinds)} at once"
            continue
        if "bug-hunt" in tags(cell) and "exercise" not in tags(cell):
            yield f"{name} is a bug hunt without the tag `exercise`"
        if not kinds:
            continue
        here = {"exercise": 0, "check": 1, "solution": 2}[kinds[0]]
        trio = cells[index - here : index - here + 3] if index >= here else []
        if [[t for t in tags(c) if t in ("exercise", "check", "solution")] for c in trio] != [
            ["exercise"],
            ["check"],
            ["solution"],
        ]:
            yield f"{name} ({kinds[0]}) is not in its place in a trio of exercise, check, solution"
            continue
        blank, check, solution = trio
        calls = [CHECK_CALL.findall(c.source) for c in (check, solution)]
        if (
            here == 0
            and not re.search(r"=\s*\.\.\.|^\s*\.\.\.\s*$", blank.source, re.M)
            and "bug-hunt" not in tags(blank)
        ):
            yield f"{name} leaves nothing blank: it must hold `answer = ...`"
        if here == 1 and (len(calls[0]) != 1 or calls[0] != calls[1]):
            yield f"{name} must call one checks.<topic>(answer), and the solution the same: {calls}"


def solutions_give_nothing_away(path, notebook):
    """Folded, a cell still shows its first line, and its stored output unless that is folded too."""
    for name, cell in number(notebook):
        if "solution" not in tags(cell):
            continue
        if not opens_with_comment(cell):
            yield f"{name} shows its solution's first line while it is folded: let a comment stand there"
        for part in ("source", "outputs"):
            if not cell.metadata.get("jupyter", {}).get(f"{part}_hidden"):
                yield f"{name} is a solution whose {part} are not folded: set metadata jupyter.{part}_hidden"


def solutions_stay_inside(path, notebook):
    """A graded copy has no solutions, so that no cell may need a name that only an exercise or its solution sets."""
    inside, outside = set(), set()
    for index, cell in enumerate(code_cells(notebook)):
        tree = parse(cell.source)
        if tree is None:
            yield f"code cell {index} is not Python"
            continue
        names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
        bound = {n.id for n in names if isinstance(n.ctx, ast.Store)}
        bound |= {n.name for n in ast.walk(tree) if isinstance(n, (ast.FunctionDef, ast.ClassDef))}
        if set(tags(cell)) & {"exercise", "check", "solution"}:
            inside |= bound - outside
            continue
        used = {n.id for n in names if isinstance(n.ctx, ast.Load)} & inside - bound
        if used:
            yield f"code cell {index} needs {sorted(used)}, which only an exercise or its solution sets"
        outside |= bound
        inside -= bound


def cells_are_short(path, notebook):
    sizes = sorted(statements(cell.source) for cell in code_cells(notebook)) or [0]
    median = statistics.median(sizes)
    if median > MEDIAN_STATEMENTS:
        yield f"the median code cell has {median:g} statements, at most {MEDIAN_STATEMENTS} may it have"
    ninth = sizes[min(len(sizes) - 1, int(0.9 * len(sizes)))]
    if ninth > NINTH_STATEMENTS:
        yield f"nine cells in ten have up to {ninth} statements, at most {NINTH_STATEMENTS} may they have"
    for name, cell in number(notebook):
        if cell.cell_type == "code" and statements(cell.source) > MOST_STATEMENTS:
            yield f"{name} has {statements(cell.source)} statements, at most {MOST_STATEMENTS} may it have"


def cells_are_formatted(path, notebook):
    for name, cell in number(notebook):
        if cell.cell_type == "code" and re.search(r"#\s*fmt:\s*(skip|off)", cell.source):
            yield f"{name} has a part that is not to be formatted: statements are counted, not lines, so take that out"


def figures_are_folded(path, notebook):
    """What only draws is folded under a line that says what it shows."""
    for name, cell in number(notebook):
        if "figure" not in tags(cell):
            continue
        if cell.cell_type != "code" or not cell.metadata.get("jupyter", {}).get("source_hidden"):
            yield f"{name} is tagged `figure` and not folded: set metadata jupyter.source_hidden"
        if not opens_with_comment(cell):
            yield f"{name} is tagged `figure`: its first line must be a comment that says what it shows"


def live_cells_say_why(path, notebook):
    """Every text output is compared with what is stored, but for cells whose reason stands in their metadata."""
    for name, cell in number(notebook):
        reason = str(cell.metadata.get("tlcourse", {}).get("live") or "").strip()
        if ("live" in tags(cell)) != bool(reason):
            yield (
                f"{name} must have both or neither, the tag `live` and the reason for it in metadata tlcourse.live "
                "(such as 'it reads a clock')"
            )


def zero_is_a_guess(path, notebook):
    for name, cell in number(notebook):
        tree = parse(cell.source) if cell.cell_type == "code" else None
        operands = [v for node in ast.walk(tree or ast.Module([])) if isinstance(node, ast.BoolOp) for v in node.values]
        for value in operands:
            if isinstance(value, ast.Attribute) and value.attr == "value":
                yield f"{name} takes `{ast.unparse(value)}` for no guess when it is 0: print `.said`, or ask `is None`"


def cells_are_as_many_as_agreed(path, notebook):
    if not CELLS[0] <= len(notebook.cells) <= CELLS[1]:
        yield f"there are {len(notebook.cells)} cells, {CELLS[0]} to {CELLS[1]} are agreed"


def words_match_code(path, notebook):
    lines = sum(len(lines_of_code(cell.source)) for cell in code_cells(notebook))
    words = sum(len(cell.source.split()) for cell in markdown(notebook))
    low, high = WORDS_PER_LINE
    if not low <= words / max(1, lines) <= high:
        yield f"{words / max(1, lines):.1f} words of prose to a line of code, {low} to {high} are agreed"


def numbers_are_computed(path, notebook):
    for name, cell in number(notebook):
        if cell.cell_type == "markdown":
            for typed in TYPED.findall(prose(cell.source)):
                yield f"{name} has {typed!r} typed into prose: compute it, or quote the lecture in a line with `>`"


def parts_are_there(path, notebook):
    count = {tag: sum(tag in tags(cell) for cell in notebook.cells) for tag in PARTS}
    for tag, least in PARTS.items():
        if count[tag] < least:
            yield f"{count[tag]} cells are tagged `{tag}`, at least {least} must be"
    verify = [cell for cell in code_cells(notebook) if "verify" in tags(cell)]
    if verify and not any("assert " in cell.source for cell in verify):
        yield "no `verify` cell asserts anything"


def paths_are_relative(path, notebook):
    for name, cell in number(notebook):
        texts = [cell.source, *_strings([dict(output) for output in cell.get("outputs", [])])]
        for text in texts:
            found = ABSOLUTE.search(re.sub(r"data:[\w/+.-]+;base64,[\w+/=\s]*", "", text))
            if found:
                piece = text[found.start() : found.start() + 60]
                yield f"{name} holds a path of one machine: {piece!r}"


def file_is_small(path, notebook):
    if path.stat().st_size > FILE_BYTES:
        yield f"the file has {path.stat().st_size / 1e6:.1f} MB, at most {FILE_BYTES / 1e6:g} may it have"
    state = len(json.dumps(notebook.metadata.get("widgets", {})))
    if state > WIDGET_BYTES:
        yield f"the stored state of widgets has {state:,} bytes, at most {WIDGET_BYTES:,} may it have"


def kernel_is_python3(path, notebook):
    name = notebook.metadata.get("kernelspec", {}).get("name")
    if name != "python3":
        yield f"the kernel is {name!r}, it must be 'python3', which every installation has"


def cells_have_their_own_ids(path, notebook):
    ids = [cell.get("id") for cell in notebook.cells]
    if None in ids or len(set(ids)) < len(ids):
        yield "cells without an id, or two with the same"


def links_resolve(path, notebook):
    for name, cell in number(notebook):
        if cell.cell_type != "markdown":
            continue
        text = re.sub(r"```.*?```|`[^`]*`", "", cell.source, flags=re.DOTALL)
        for target in LINK.findall(text):
            if re.match(r"[a-z]+:", target):
                continue
            file, _, anchor = target.partition("#")
            linked = path.parent / file if file else path
            if not linked.exists():
                yield f"{name} links to {target}, which is not there"
            elif anchor and linked.suffix == ".ipynb" and anchor not in _anchors(linked):
                yield f"{name} links to {target}, but no heading has that name"


def _anchors(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    text = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    return {heading.strip().replace(" ", "-") for heading in re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)}


RULES = [
    title_asks,
    goals_are_few,
    goals_have_exercises,
    is_executed,
    pictures_have_alt_text,
    cells_are_slides,
    exercises_are_trios,
    solutions_give_nothing_away,
    solutions_stay_inside,
    cells_are_short,
    cells_are_formatted,
    figures_are_folded,
    live_cells_say_why,
    zero_is_a_guess,
    cells_are_as_many_as_agreed,
    words_match_code,
    numbers_are_computed,
    parts_are_there,
    paths_are_relative,
    file_is_small,
    kernel_is_python3,
    cells_have_their_own_ids,
    links_resolve,
]
