"""Records by space and ordinal: that they are there and how they stand, never what they hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from expunge.cli.cases import LIMIT
from expunge.cli.session import Verbs, asks

if TYPE_CHECKING:
    from expunge.cli.showing import Shown
    from expunge.client import Client


@click.group(cls=Verbs)
def record() -> None:
    """Records of data sets."""


@record.command("list")
@click.argument("space")
@LIMIT
@asks
def listed(client: Client, shown: Shown, *, space: str, limit: int) -> None:
    """List the records of a SPACE, by its id or its name."""
    shown.rows(client.records(space), ("record", "generated_at", "erased_at"), limit)


@record.command()
@click.argument("record")
@asks
def show(client: Client, shown: Shown, record: str) -> None:
    """Show how a RECORD stands, by SPACE:ORDINAL."""
    shown.one(client.record(record))
