"""What a notebook teaches stands inline in it; a test takes the definition out and holds the package to it."""

import ast

import nbformat

from tlcourse.workshop import NOTEBOOKS


def definition(chapter, name, **names):
    """A function or class as a notebook defines it, with the notebook's imports and nothing else of it.

    Args:
        chapter: two digits.
        name: of a definition at the top level of one of its code cells.
        names: what it uses of the notebook's own.
    """
    (path,) = NOTEBOOKS.glob(f"{chapter}_*.ipynb")
    cells = [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    statements = [statement for source in cells for statement in ast.parse(source).body]
    wanted = [s for s in statements if isinstance(s, (ast.FunctionDef, ast.ClassDef)) and s.name == name]
    assert wanted, f"{path.name} does not define {name}"
    imports = [s for s in statements if isinstance(s, (ast.Import, ast.ImportFrom))]
    namespace = {"__name__": path.stem, **names}
    exec(compile(ast.Module([*imports, wanted[0]], type_ignores=[]), path.name, "exec"), namespace)
    namespace.update(names)  # they stand in for what the notebook imports, too
    return namespace[name]
