"""Lineage: which versions learned from a person or a record, and by which way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from expunge.cli.cases import LIMIT
from expunge.cli.session import Command, Exit, Told, Verbs, asks
from expunge.cli.subjects import person

if TYPE_CHECKING:
    from expunge.answers import Why
    from expunge.cli.showing import Shown
    from expunge.client import Client


@click.group(cls=Verbs)
def lineage() -> None:
    """Which versions learned from whom."""


def about(command: Command) -> Command:
    """Add the options that say of whom or of what a question is."""
    for option in (
        click.option("--external", default="", help="Identifier of your systems; - reads a line."),
        click.option("--email", default="", help="Of the person; - reads a line."),
        click.option("--subject", default="", help="A pseudonym."),
        click.option("--record", default="", help="SPACE:ORDINAL."),
    ):
        command = option(command)
    return command


@lineage.command()
@about
@asks
def versions(
    client: Client, shown: Shown, *, record: str, subject: str, email: str, external: str
) -> None:
    """List every version that learned from a person or a record.

    Versions of which nobody captured what they read are listed too, as possibly affected.
    """
    record, subject = _asked(client, record, subject, {"EMAIL": email, "EXTERNAL": external})
    found = client.affected(record=record, subject=subject)
    if shown.as_json:
        shown.one(found)
        return
    sure = [{"affected": "yes", **one} for one in found["affected"]]
    unsure = [
        {"affected": "possibly", "influence": None, "hits": None, **one}
        for one in found["possibly_affected"]
    ]
    shown.rows([*sure, *unsure], ("affected", "name", "state", "influence", "hits", "version"))


@lineage.command()
@click.argument("version")
@about
@asks
def why(  # noqa: PLR0913  (the options)
    client: Client,
    shown: Shown,
    *,
    version: str,
    record: str,
    subject: str,
    email: str,
    external: str,
) -> None:
    """Say whether VERSION learned from a person or a record, and by which way.

    Ends with 1 if it did, or if nobody knows.
    """
    record, subject = _asked(client, record, subject, {"EMAIL": email, "EXTERNAL": external})
    found = client.why(version, record=record, subject=subject)
    shown.tell(_sentence(found), found)
    if found["affected"] is not False:
        raise click.exceptions.Exit(Exit.ANSWER_IS_NO)


@lineage.command()
@click.option("--dataset", default="", help="Of one data set.")
@LIMIT
@asks
def snapshots(client: Client, shown: Shown, *, dataset: str, limit: int) -> None:
    """List snapshots of data sets."""
    columns = ("dataset", "number", "record_count", "created_at", "snapshot")
    shown.rows(client.snapshots(dataset=dataset), columns, limit)


@lineage.command()
@click.option("--state", type=click.Choice(["RUNNING", "COMPLETE", "INCOMPLETE"]), default=None)
@LIMIT
@asks
def runs(client: Client, shown: Shown, *, state: str | None, limit: int) -> None:
    """List trainings and whatever else read or wrote data and models."""
    columns = ("activity", "state", "captured", "started_at", "seconds", "run")
    shown.rows(client.runs(state=state or ""), columns, limit)


@lineage.command()
@click.argument("identifier", metavar="ID")
@asks
def snapshot(client: Client, shown: Shown, identifier: str) -> None:
    """Show a snapshot of a data set."""
    shown.one(client.snapshot(identifier))


@lineage.command()
@click.argument("identifier", metavar="ID")
@asks
def run(client: Client, shown: Shown, identifier: str) -> None:
    """Show a run, with what it read and wrote."""
    shown.one(client.run(identifier))


def _asked(
    client: Client, record: str, subject: str, identifiers: dict[str, str]
) -> tuple[str, str]:
    """Return the record, or the pseudonym of the person; exactly one of the four is given."""
    named = {kind: value for kind, value in identifiers.items() if value}
    if len([one for one in (record, subject, *named) if one]) != 1:
        raise Told("Give one of --record, --subject, --email and --external.", Exit.NOT_ASKED)
    for kind, value in named.items():
        subject = person(client, kind, value)["subject"]
    return record, subject


def _sentence(found: Why) -> str:
    if found["affected"] is None:
        return f"Nobody knows whether {found['name']} learned from it: its data were not captured."
    if not found["affected"]:
        return f"{found['name']} did not learn from it."
    way = "".join(
        f"\n  {one['source']} ({one['role']}, {one['influence']})" for one in found["why"]
    )
    return f"{found['name']} learned from it ({found['hits']} records, {found['influence']}):{way}"
