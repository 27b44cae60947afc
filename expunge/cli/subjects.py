"""People by their pseudonyms: who has an identifier, and which records are theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from expunge.cli.cases import LIMIT
from expunge.cli.session import Exit, Told, Verbs, asks, private

if TYPE_CHECKING:
    from expunge.answers import Subject
    from expunge.cli.showing import Shown
    from expunge.client import Client


@click.group(cls=Verbs)
def subject() -> None:
    """People, by their pseudonyms."""


@subject.command()
@click.option("--email", default="", help="Of the person; - reads a line.")
@click.option("--external", default="", help="Identifier of your systems; - reads a line.")
@asks
def find(client: Client, shown: Shown, *, email: str, external: str) -> None:
    """Show the person who has an identifier, which travels in no address and no log."""
    if bool(email) == bool(external):
        raise Told("Give one of --email and --external.", Exit.NOT_ASKED)
    shown.one(person(client, "EMAIL" if email else "EXTERNAL", email or external))


@subject.command()
@click.argument("subject")
@asks
def show(client: Client, shown: Shown, subject: str) -> None:
    """Show what is held about a SUBJECT, by their pseudonym."""
    shown.one(client.subject(subject))


@subject.command()
@click.argument("subject")
@LIMIT
@asks
def records(client: Client, shown: Shown, *, subject: str, limit: int) -> None:
    """List the records of a SUBJECT, by their pseudonym."""
    shown.rows(client.records_of(subject), ("record", "generated_at", "erased_at"), limit)


def person(client: Client, kind: str, value: str) -> Subject:
    """Return the person who has an identifier, or has the one on standard input. Raises Told."""
    found = client.find_subject(kind, private(value, "The identifier"))
    if found is None:
        raise Told("Nobody has this identifier here.", Exit.REFUSED)
    return found
