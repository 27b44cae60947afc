"""Deployments: where versions run, and that they are gone from there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from expunge.cli.cases import LIMIT
from expunge.cli.session import Verbs, asks, private

if TYPE_CHECKING:
    from expunge.cli.showing import Shown
    from expunge.client import Client

KINDS = ("ENDPOINT", "HUB", "DEVICE", "BATCH", "OTHER")


@click.group(cls=Verbs)
def deployment() -> None:
    """Where versions run."""


@deployment.command("list")
@LIMIT
@asks
def listed(client: Client, shown: Shown, *, limit: int) -> None:
    """List what keys of this name said runs somewhere, the newest first."""
    columns = ("name", "place", "usable", "deployed_at", "switched_at", "withdrawn_at")
    shown.rows(client.deployments(), (*columns, "deployment"), limit)


@deployment.command()
@click.argument("version")
@click.argument("place")
@click.option("--kind", type=click.Choice(KINDS), default="ENDPOINT", show_default=True)
@click.option("--contact", default="", help="Who is told when it must go; - reads a line.")
@click.option("--locale", default="", help="Language of that letter.")
@click.option("--note", default="")
@asks
def add(  # noqa: PLR0913  (the options)
    client: Client,
    shown: Shown,
    *,
    version: str,
    place: str,
    kind: str,
    contact: str,
    locale: str,
    note: str,
) -> None:
    """Say that VERSION runs at PLACE; what of its model ran there is switched over."""
    whom = private(contact, "The e-mail address")
    shown.one(client.deploy(version, place, kind=kind, contact=whom, locale=locale, note=note))


@deployment.command()
@click.argument("deployment")
@asks
def gone(client: Client, shown: Shown, deployment: str) -> None:
    """Say that a version is gone from its place, with every copy there."""
    shown.one(client.withdrawn(deployment))
