"""A short hash of the code behind a function's results, so that a recorded row knows which code made it.

From the function on, each name is followed to the definition that it stands for, and from there on, wherever in the
course that is, re-exports and imports inside functions included. So a new helper, a new data set or a new exercise in
the same module changes nothing; neither do comments, docstrings, formatting, or a definition that moved as it was.

What it does not see: what is reached by a string or from an object's type alone (`getattr`, a registry, a base class's
hook), the data's bytes and how they are found (`material.assets` has hashes for them), and libraries: a recorded row
has their versions.
"""

import ast
import hashlib
from collections.abc import Iterator
from pathlib import Path

import tlcourse

ROOT = Path(tlcourse.__file__).parents[1]
HINTS = ("annotation", "returns")
NOT_FOLLOWED = "tlcourse.material.assets"


def of(file: Path | str, name: str = "trial") -> str:
    """Hash what a module defines under a name, and all that it uses of the course.

    Returns:
        "c" and eleven hexadecimal digits: no spreadsheet takes that for a number.

    Raises:
        ValueError: the module does not define the name; a module of the course imports relatively or by `*`.
    """
    code = _Code()
    if name not in code.module(Path(file)).defined:
        raise ValueError(f"Expected {Path(file).name} to define {name}, got no such name: write it there.")
    code.define(Path(file), name)
    return "c" + hashlib.sha256(repr(code.lines).encode()).hexdigest()[:11]


class _Module:
    """What each name of a module stands for: statements, or a name of another module."""

    def __init__(self, file: Path):
        self.defined: dict[str, list[ast.stmt]] = {}
        self.always: list[ast.stmt] = []  # they bind no name, and may change what others bound
        tree = ast.parse(file.read_bytes(), file.name)
        self.package = ".".join(file.parent.relative_to(ROOT).parts) if file.is_relative_to(ROOT) else ""
        self.imported = _imports((s for s in tree.body if not _has_scope(s)), self.package)
        for statement in tree.body:
            names = _bound(statement)
            for name in names:
                self.defined.setdefault(name, []).append(statement)
            if not names and not _is_silent(statement):
                self.always.append(statement)


class _Code:
    """The definitions reached so far, in the order in which they were met; each refers to others by their number."""

    def __init__(self):
        self.lines: list = []
        self.numbers: dict[tuple[Path, str], int] = {}
        self.modules: dict[Path, _Module] = {}

    def module(self, file: Path) -> _Module:
        if file not in self.modules:
            self.modules[file] = _Module(file)
        return self.modules[file]

    def define(self, file: Path, name: str) -> int:
        if (file, name) not in self.numbers:
            number = self.numbers[file, name] = len(self.lines)
            self.lines.append(None)
            module = self.module(file)
            statements = module.defined[name] + module.always
            used = [self.use(meant) for statement in statements for meant in self.names(statement, file)]
            self.lines[number] = (_plain(statements), used)
        return self.numbers[file, name]

    def use(self, meant: tuple):
        kind, *where = meant
        if kind == "module" and (file := _file(where[0])) and not where[0].startswith(NOT_FOLLOWED):
            return [self.define(file, name) for name in self.module(file).defined]  # whole: who knows what for
        return self.define(*where) if kind == "definition" else where[-1]

    def names(self, statement: ast.stmt, file: Path) -> Iterator[tuple]:
        """What the names in a statement stand for, in their order."""
        imported = self.module(file).imported | _imports([statement], self.module(file).package)

        def meant(node: ast.AST) -> tuple | None:
            if isinstance(node, ast.Attribute):
                base = meant(node.value)
                return self.find(base[1], node.attr) if base and base[0] == "module" else None
            if not isinstance(node, ast.Name):
                return None
            if node.id in imported:
                return self.find(*imported[node.id])
            return ("definition", file, node.id) if node.id in self.module(file).defined else None

        def walk(node: ast.AST) -> Iterator[tuple]:
            if found := meant(node):
                yield found
            else:
                for name, value in ast.iter_fields(node):
                    for child in (value if isinstance(value, list) else [value]) if name not in HINTS else ():
                        if isinstance(child, ast.AST):
                            yield from walk(child)

        return walk(statement)

    def find(self, module: str, name: str | None) -> tuple:
        """Where a module's name is defined: ("module", its name), ("definition", file, name) or ("outside", text)."""
        if name is None or _file(f"{module}.{name}"):
            return "module", f"{module}.{name}" if name else module
        if module.startswith(NOT_FOLLOWED):
            return "outside", name
        if file := _file(module):
            if name in self.module(file).defined:
                return "definition", file, name
            if name in self.module(file).imported:
                return self.find(*self.module(file).imported[name])
        return "outside", f"{module}.{name}"


def _file(module: str) -> Path | None:
    """The file of a module of the course."""
    if module.split(".")[0] != tlcourse.__name__:
        return None
    path = ROOT.joinpath(*module.split("."))
    return next((file for file in (path.with_name(path.name + ".py"), path / "__init__.py") if file.exists()), None)


def _imports(statements, package: str) -> dict[str, tuple[str, str | None]]:
    """Local name -> (module, name in it or None) of all imports in the statements, however deep."""
    found: dict[str, tuple[str, str | None]] = {}
    for node in (node for statement in statements for node in ast.walk(statement)):
        for alias in node.names if isinstance(node, ast.Import | ast.ImportFrom) else ():
            if isinstance(node, ast.ImportFrom):
                if node.level > 1 or alias.name == "*":
                    raise ValueError("Expected imports that name what they take, from where: write them out.")
                module = ".".join(filter(None, (package if node.level else None, node.module)))
                found[alias.asname or alias.name] = (module, alias.name)
            elif alias.asname:
                found[alias.asname] = (alias.name, None)
            else:
                found[alias.name.split(".")[0]] = (alias.name.split(".")[0], None)
    return found


def _has_scope(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)


def _bound(statement: ast.AST) -> set[str]:
    """The names that a statement of a module gives a value to, imports apart."""
    if _has_scope(statement):
        return {statement.name}
    if isinstance(statement, ast.Name) and isinstance(statement.ctx, ast.Store):
        return {statement.id}
    inner = (node for node in ast.iter_child_nodes(statement) if not isinstance(node, ast.comprehension))
    return set().union(*map(_bound, inner))


def _is_silent(node: ast.AST) -> bool:
    """An import (what it binds is looked up where it is used), or a docstring."""
    is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    for_types = isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
    return is_text or for_types or isinstance(node, ast.Import | ast.ImportFrom)


def _plain(node):
    """A syntax tree as nested lists that are the same in every Python, without what is silent."""
    if isinstance(node, list):
        return [_plain(item) for item in node if not _is_silent(item)]
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = (
        (name, value) for name, value in ast.iter_fields(node) if name not in ("ctx", "kind", "type_comment", *HINTS)
    )
    return [type(node).__name__, *((name, _plain(value)) for name, value in fields if value not in (None, []))]
