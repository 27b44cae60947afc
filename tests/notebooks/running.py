"""Run notebooks without a kernel: python tests/notebooks/running.py NOTEBOOK...

The code cells of each run in order, in a fresh ``__main__``, in the folder of the notebook; the
value of a last expression is printed, as Jupyter does. One line of JSON for each comes out. It
needs the standard library only, so that it runs where nothing but the library is installed.
"""

from __future__ import annotations

import ast
import io
import json
import linecache
import os
import sys
import time
import traceback
import types
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any


def code_cells(path: Path) -> list[str]:
    """Return the code of a notebook, cell by cell."""
    cells = json.loads(path.read_text())["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def run(path: Path) -> dict[str, Any]:
    """Run one notebook and return what it printed, what stopped it, and what it took."""
    printed, began = io.StringIO(), time.process_time()
    error = ""
    os.chdir(path.parent)
    before, home = list(sys.path), sys.modules["__main__"]
    space = sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        with redirect_stdout(printed):
            for number, source in enumerate(code_cells(path), start=1):
                run_cell(source, f"<{path.name}, cell {number}>", vars(space))
    except BaseException:  # noqa: BLE001  (a notebook may end in any way; it is reported)
        error = traceback.format_exc()
    finally:
        sys.modules["__main__"] = home
        sys.path[:] = before
    return {
        "name": path.stem,
        "printed": printed.getvalue(),
        "error": error,
        "seconds": round(time.process_time() - began, 2),
        "django": "django" in sys.modules,
    }


def run_cell(source: str, name: str, space: dict[str, Any]) -> None:
    """Run one cell, and print the value of its last expression."""
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    *statements, last = ast.parse(source).body
    if not isinstance(last, ast.Expr):
        statements.append(last)
    exec(compile(ast.Module(statements, []), name, "exec"), space)
    if isinstance(last, ast.Expr):
        value = eval(compile(ast.Expression(last.value), name, "eval"), space)
        if value is not None:
            print(repr(value))


if __name__ == "__main__":
    for one in [Path(name).resolve() for name in sys.argv[1:]]:
        print(json.dumps(run(one)), flush=True)
