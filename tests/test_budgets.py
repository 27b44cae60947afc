"""The budgets that keep the code readable. A reason to exceed one is a reason to split.

Lines are whole: a function's from ``def`` to its end and a file's from first to last, docstrings,
comments and empty lines included. Only the median of the files leaves empty lines out: the
formatter's two between functions would make a file of short functions look longer than one of
long ones.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("config", "lineage", "unlearning", "audits", "expunge")
FUNCTION_MAX = 60
FUNCTION_MEDIAN = 8
FILE_MAX = 300
FILE_MEDIAN = 80
# A stranger reads and carries it as one file: see docs/adr/0051-a-bundle-has-one-form.md.
STANDALONE, STANDALONE_MAX = Path("expunge/standalone/verify.py"), 540
METHOD_FILE_MAX = 150
METHODS = Path("unlearning/methods")
BANNED_NAMES = frozenset({"utils.py", "helpers.py", "common.py"})


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Something with a length in lines."""

    where: str
    lines: int


def functions_of(source: str, *, where: str) -> list[Measured]:
    """Return every function in ``source``; a nested one counts for itself and for its parent."""
    return [
        Measured(where=f"{where}:{node.lineno} {node.name}", lines=_length(node))
        for node in ast.walk(ast.parse(source, filename=where))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def over(measured: list[Measured], limit: int) -> list[str]:
    """Return a line for each offender, worst first."""
    offenders = sorted((m for m in measured if m.lines > limit), key=lambda m: -m.lines)
    return [f"{m.where} has {m.lines} lines, {limit} are allowed" for m in offenders]


def over_in_the_middle(measured: list[Measured], limit: int) -> list[str]:
    """Return what lies above ``limit`` when the median does, else nothing."""
    return over(measured, limit) if median(m.lines for m in measured) > limit else []


def refuse(offenders: list[str]) -> None:
    """Fail with every offender: pytest by itself would show only the first of a long list."""
    assert not offenders, "\n" + "\n".join(offenders)


def _length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    assert node.end_lineno is not None
    return node.end_lineno - node.lineno + 1


@cache
def sources() -> dict[Path, str]:
    """Return our own modules by their path from the root; migrations are written by Django."""
    found = (path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py")))
    return {
        path.relative_to(ROOT): path.read_text()
        for path in found
        if "migrations" not in path.parts
    }


def all_functions() -> list[Measured]:
    return [
        function
        for path, source in sources().items()
        for function in functions_of(source, where=str(path))
    ]


def all_files(*, under: Path = Path()) -> list[Measured]:
    return [
        Measured(where=str(path), lines=len(source.splitlines()))
        for path, source in sources().items()
        if path.is_relative_to(under)
    ]


def test_no_function_is_too_long():
    refuse(over(all_functions(), FUNCTION_MAX))


def test_half_of_the_functions_are_short():
    refuse(over_in_the_middle(all_functions(), FUNCTION_MEDIAN))


def test_no_file_is_too_long():
    refuse(over([one for one in all_files() if one.where != str(STANDALONE)], FILE_MAX))
    refuse(over(all_files(under=STANDALONE), STANDALONE_MAX))


def test_no_method_file_is_too_long():
    refuse(over(all_files(under=METHODS), METHOD_FILE_MAX))


def test_half_of_the_files_are_short():
    # Package markers are not counted: a hundred of them would hide any number of long files.
    files = [
        Measured(where=str(path), lines=sum(1 for line in source.splitlines() if line.strip()))
        for path, source in sources().items()
        if path.name != "__init__.py"
    ]
    refuse(over_in_the_middle(files, FILE_MEDIAN))


def test_no_file_is_a_drawer_for_odds_and_ends():
    assert [str(path) for path in sources() if path.name in BANNED_NAMES] == []


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("def f(): return 1\n", [1]),
        ("def f():\n    '''Say\n\n    more.\n    '''\n    return 1\n", [6]),
        ("@decorated\nasync def f(\n    a,\n):\n    # why\n    return a\n", [5]),
        ("class A:\n    def f(self):\n        return 1\n\n    x = 1\n", [2]),
        ("def f():\n    def g():\n        return 1\n    return g\n", [4, 2]),
    ],
)
def test_a_function_is_measured_from_def_to_its_end(source, lines):
    assert [function.lines for function in functions_of(source, where="")] == lines


def test_a_median_above_its_budget_names_what_raises_it():
    sizes = [Measured(where=name, lines=lines) for name, lines in (("a", 5), ("b", 9), ("c", 30))]
    assert over_in_the_middle(sizes, 9) == []
    assert over_in_the_middle(sizes, 8) == [
        "c has 30 lines, 8 are allowed",
        "b has 9 lines, 8 are allowed",
    ]


def test_an_offender_is_named_with_its_place_and_length():
    source = "def short():\n    pass\n\n\ndef long():\n" + "    pass\n" * 60
    measured = functions_of(source, where="a.py")
    assert over(measured, FUNCTION_MAX) == ["a.py:5 long has 61 lines, 60 are allowed"]
