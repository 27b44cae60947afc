"""What all commands have in common: a client, errors as sentences, exit codes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from functools import update_wrapper
from typing import Any, TypeAlias

import click

from expunge.addresses import NotConfigured
from expunge.areas.asking import NoSuchName
from expunge.cli.showing import Shown, printable
from expunge.client import Client
from expunge.connection import KeyNotAccepted, PlatformAway
from expunge.problems import Refused

Command: TypeAlias = Callable[..., None]


class Exit(IntEnum):
    """With what a command ends; docs/cli.md explains each."""

    DONE = 0
    ANSWER_IS_NO = 1
    NOT_ASKED = 2
    REFUSED = 3
    KEY = 4
    AWAY = 5
    STOPPED = 130


_CODES: dict[type[Exception], Exit] = {
    NotConfigured: Exit.NOT_ASKED,
    Refused: Exit.REFUSED,
    KeyNotAccepted: Exit.KEY,
    PlatformAway: Exit.AWAY,
    OSError: Exit.NOT_ASKED,
    NoSuchName: Exit.NOT_ASKED,
}


class Told(click.ClickException):
    """Ends a command with a sentence and a code."""

    def __init__(self, sentence: str, code: Exit) -> None:
        super().__init__(sentence)
        self.exit_code = code  # type: ignore[misc]  # of the class in click, read from the instance


class Verbs(click.Group):
    """A group of commands whose errors are sentences."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401  (click's)
        """Run, and say what went wrong."""
        try:
            return super().invoke(ctx)
        except (KeyboardInterrupt, click.Abort):
            raise Told("Stopped.", Exit.STOPPED) from None
        except BrokenPipeError:
            raise
        except tuple(_CODES) as error:
            code = next(code for kind, code in _CODES.items() if isinstance(error, kind))
            raise Told(printable(str(error)), code) from error


@dataclass
class Session:
    """How a client is made; tests make another one."""

    make: Callable[..., Client] = Client
    options: dict[str, Any] = field(default_factory=dict)


def asks(command: Command) -> Command:
    """Give a command a client and what shows its answer, as its first two arguments."""

    @click.option("--json", "as_json", is_flag=True, help="Print JSON, as the API answered.")
    @click.pass_context
    def asked(context: click.Context, /, *, as_json: bool, **given: Any) -> None:  # noqa: ANN401
        session = context.ensure_object(Session)
        with session.make(**session.options) as client:
            command(client, Shown(as_json=as_json), **given)

    return update_wrapper(asked, command)


def private(value: str, what: str) -> str:
    """Return a value; ``-`` stands for the next line of standard input, or for a question."""
    if value != "-":
        return value
    if sys.stdin.isatty():
        return str(click.prompt(what, err=True))
    line = sys.stdin.readline().strip()
    if not line:
        raise Told(
            f"{what} is read from standard input, which has no line for it.", Exit.NOT_ASKED
        )
    return line
