"""Health, the verifier, and completion in a shell."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import get_completion_class

from expunge.cli.session import asks
from expunge.standalone.verify import run

if TYPE_CHECKING:
    from expunge.cli.showing import Shown
    from expunge.client import Client


@click.command()
@asks
def health(client: Client, shown: Shown) -> None:
    """Say whether the platform can be used."""
    shown.one(client.health())


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--key", multiple=True, help="A verifier key of the issuer, or a file with some.")
@click.option("--held", type=click.Path(path_type=Path), help="A checkpoint that you kept.")
@click.pass_context
def verify(context: click.Context, path: Path, key: tuple[str, ...], held: Path | None) -> None:
    """Verify an exported case, a zip, its folder or its record, without a connection.

    It is the program that goes along with a case. Ends with 0 if every check passed, 1 if one
    failed, 2 if nothing could be judged, for instance without --key.
    """
    given = [str(path), *(word for one in key for word in ("--key", one))]
    code, words = run([*given, *(("--held", str(held)) if held else ())])
    click.echo(words)
    context.exit(code)


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print what makes SHELL complete commands and options; docs/cli.md says where it goes."""
    made = get_completion_class(shell)
    if made is not None:
        click.echo(made(context.find_root().command, {}, "expunge", "_EXPUNGE_COMPLETE").source())
