"""The audit log: signed states of it, and proofs, as plain text in the formats of C2SP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from expunge.cli.session import Verbs, asks

if TYPE_CHECKING:
    from expunge.cli.showing import Shown
    from expunge.client import Client

PLACE = click.IntRange(min=0)


@click.group(cls=Verbs)
def log() -> None:
    """The audit log: signed states of it, and proofs."""


@log.command()
@asks
def checkpoint(client: Client, shown: Shown) -> None:
    """Print the newest signed state; keep it to hold the log to it later."""
    text = client.checkpoint()
    shown.tell(text.rstrip("\n"), {"checkpoint": text})


@log.command()
@click.argument("index", type=PLACE)
@asks
def proof(client: Client, shown: Shown, index: int) -> None:
    """Print the proof that the event at INDEX is in the log."""
    text = client.proof(index)
    shown.tell(text.rstrip("\n"), {"proof": text})


@log.command()
@click.argument("size", type=PLACE)
@asks
def consistency(client: Client, shown: Shown, size: int) -> None:
    """Print the proof that the log extends the one of SIZE events that you hold."""
    text = client.consistency(size)
    shown.tell(text.rstrip("\n"), {"hashes": text.split()})
