"""Model versions: list, show, and what they learned from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from expunge.cli.cases import LIMIT
from expunge.cli.session import Verbs, asks

if TYPE_CHECKING:
    from expunge.cli.showing import Shown
    from expunge.client import Client

STATES = ("CANDIDATE", "ACTIVE", "WITHDRAWN", "QUARANTINED", "DESTROYED")


@click.group(cls=Verbs)
def version() -> None:
    """Model versions."""


@version.command("list")
@click.option("--model", default="", help="Of one model.")
@click.option("--state", type=click.Choice(STATES), default=None)
@LIMIT
@asks
def listed(client: Client, shown: Shown, *, model: str, state: str | None, limit: int) -> None:
    """List versions, the newest first."""
    columns = ("name", "state", "guarantee", "captured", "generated_at", "version")
    shown.rows(client.versions(model=model, state=state or ""), columns, limit)


@version.command()
@click.argument("version")
@asks
def show(client: Client, shown: Shown, version: str) -> None:
    """Show a version."""
    shown.one(client.version(version))


@version.command()
@click.argument("version")
@asks
def sources(client: Client, shown: Shown, version: str) -> None:
    """List the snapshots and versions that a version learned from."""
    shown.rows(client.sources(version), ("label", "role", "influence", "version", "snapshot"))
