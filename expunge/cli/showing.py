"""Answers for people, as tables, and for programs, as JSON."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

_WIDE = 10_000  # what is piped is never folded


@dataclass(frozen=True, kw_only=True)
class Shown:
    """Shows an answer in one of two ways."""

    as_json: bool

    def rows(
        self, rows: Iterable[Mapping[str, Any]], columns: Iterable[str], limit: int = 0
    ) -> None:
        """Show a list, and at most ``limit`` of it; 0 is all of it."""
        found = list(islice(rows, limit + 1) if limit else rows)
        shown = found[:limit] if limit else found
        if self.as_json:
            _json(shown)
        elif shown:
            _table(shown, list(columns))
        else:
            click.echo("None.", err=True)
        if len(found) > len(shown):
            click.echo(f"There are more than {limit}; --limit 0 shows all.", err=True)

    def one(self, answer: Mapping[str, Any]) -> None:
        """Show one thing, a line for each of its values."""
        if self.as_json:
            _json(answer)
            return
        table = Table(show_header=False, box=None, pad_edge=False)
        for name, value in answer.items():
            table.add_row(_words(name), Text(_told(value)))
        _console().print(table)

    def tell(self, sentence: str, answer: Mapping[str, Any]) -> None:
        """Show a sentence to people, and the whole answer to programs."""
        if self.as_json:
            _json(answer)
        else:
            click.echo("\n".join(map(printable, sentence.split("\n"))))


def _table(rows: list[Mapping[str, Any]], columns: list[str]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        table.add_column(_words(name))
    for row in rows:
        table.add_row(*(Text(_told(row[name])) for name in columns))
    _console().print(table)


def _json(value: object) -> None:
    text = json.dumps(value, indent=2, ensure_ascii=False)
    # Beside the line breaks between values, such characters stand in strings alone.
    click.echo(
        "".join(one if one.isprintable() or one == "\n" else json.dumps(one)[1:-1] for one in text)
    )


def _console() -> Console:
    return Console(width=None if sys.stdout.isatty() else _WIDE, highlight=False)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _told(value: object) -> str:
    """Return a value in words."""
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict | list):
        value = json.dumps(value, ensure_ascii=False)
    return printable(str(value))


def printable(text: str) -> str:
    """Return a text without what a terminal would obey."""
    return "".join(one for one in text if one.isprintable())


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int | None], None]]:
    """Draw a bar on standard error, if a person looks at it."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
