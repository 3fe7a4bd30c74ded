"""Cells run out of order: below the error for a name that an earlier cell would have made, the way out."""

import contextlib
import itertools
import json
import os
import symtable
import sys
from pathlib import Path
from types import TracebackType
from typing import Any

ADVICE = "`{}` is made by an earlier cell: choose Run > Run All Above Selected Cell, then run this cell again."


def advise() -> None:
    """From now on print `ADVICE` below such an error, which stays as it is; does nothing outside of IPython."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if shell is not None:
        shell.set_custom_exc((NameError,), _shown)


def _shown(shell: Any, kind: type, error: NameError, tb: TracebackType, tb_offset: int | None = None) -> None:
    """Show an error as IPython does, and what to do about it."""
    shell.showtraceback((kind, error, tb), tb_offset=tb_offset)
    with contextlib.suppress(OSError, ValueError, LookupError, TypeError, AttributeError):  # no notebook to look into
        if _is_missing(error, tb, shell) and error.name in _made_above(shell):
            print(ADVICE.format(error.name), file=sys.stderr)


def _is_missing(error: NameError, tb: TracebackType, shell: Any) -> bool:
    """Whether a global name of the notebook is missing: no local one, and none of a library."""
    while tb.tb_next:
        tb = tb.tb_next
    # A local name, and one of a function around it, get other words.
    return str(error) == f"name '{error.name}' is not defined" and tb.tb_frame.f_globals is shell.user_global_ns


def _made_above(shell: Any) -> set[str]:
    """The names that cells above this one make, as the notebook was last saved; of all cells if none is known as this.

    JupyterLab says which notebook a kernel was started for, and which cell it runs; other programs do not.
    """
    notebook = json.loads(Path(os.environ["JPY_SESSION_NAME"]).read_text(encoding="utf-8"))
    this = shell.parent_header["metadata"].get("cellId")
    names = set()
    for cell in itertools.takewhile(lambda cell: cell.get("id") != this, notebook["cells"]):
        with contextlib.suppress(SyntaxError):  # an answer that is not finished
            if cell["cell_type"] == "code":
                table = symtable.symtable(shell.transform_cell("".join(cell["source"])), "cell", "exec")
                names |= {name.get_name() for name in table.get_symbols() if name.is_assigned() or name.is_imported()}
    return names
