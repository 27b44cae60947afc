"""Serving: may a version be used."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from expunge.cli.session import Exit, Told, Verbs, asks

if TYPE_CHECKING:
    from expunge.cli.showing import Shown
    from expunge.client import Client


@click.group(cls=Verbs)
def serve() -> None:
    """What serving processes may use."""


@serve.command()
@click.argument("version", default="")
@click.option("--model", default="", help="The newest version in use of this model.")
@asks
def check(client: Client, shown: Shown, *, version: str, model: str) -> None:
    """Say whether VERSION may be used now, or which one of a model; ends with 1 if not."""
    if bool(version) == bool(model):
        raise Told("Give a VERSION or --model.", Exit.NOT_ASKED)
    found = client.newest(model) if model else client.serving(version)
    may = "may be used" if found["usable"] else f"is {found['state'].lower()}: stop using it"
    shown.tell(f"{found['name']} ({found['version']}) {may}.", found)
    if not found["usable"]:
        raise click.exceptions.Exit(Exit.ANSWER_IS_NO)
