"""The declarations of the methods as a page for people: a table, then an entry for each."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH = 99
HEAD = (
    "| name | title | guarantee | forget set may be | reads it | needs | edits |",
    "|---|---|---|---|---|---|---|",
)


def table(methods: Sequence[dict[str, Any]]) -> str:
    """Return a Markdown table with one row per method."""
    return "\n".join([*HEAD, *map(_row, methods)]) + "\n"


def _row(method: dict[str, Any]) -> str:
    cells = (
        f"`{method['name']}`",
        method["title"],
        method["guarantee"].lower(),
        method["forget_set"],
        "yes" if method["reads_forget"] else "no",
        "; ".join(method["needs_words"]),
        method["layers_words"],
    )
    return f"| {' | '.join(cells)} |"


def entry(method: dict[str, Any]) -> str:
    """Return what a method does, when to use it and when not, and its numbers."""
    paragraphs = (
        method["does"],
        f"*When.* {method['when']}",
        f"*When not.* {method['when_not']}",
        f"*Known failure.* {method['known_failure']}",
        f"*Reference.* {method['reference']}",
    )
    text = "\n\n".join(fill(each, WIDTH, break_on_hyphens=False) for each in paragraphs)
    return f"## {method['title']}\n\n`{method['name']}`\n\n{text}\n\n{_numbers(method)}\n"


def _numbers(method: dict[str, Any]) -> str:
    if not method["hyperparameters"]:
        return "Its hyperparameters are those of the recipe."
    rows = [
        f"| `{each['name']}` | {each['help']} | {each['low']:g} .. {each['high']:g} | "
        f"{_said(each['default'])} | {_said(each['published'])} |"
        for each in method["hyperparameters"]
    ]
    head = ["| hyperparameter | meaning | range | default | published |", "|---|---|---|---|---|"]
    return "\n".join(head + rows)


def _said(number: float | None) -> str:
    return "" if number is None else f"{number:g}"
