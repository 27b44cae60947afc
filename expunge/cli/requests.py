"""Requests of people: hand one in, ask how far it is, send what waits."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from expunge.cli.session import Exit, Told, Verbs, asks, private

if TYPE_CHECKING:
    from typing import TextIO

    from expunge.cli.showing import Shown
    from expunge.client import Client

KINDS = ("ERASURE", "CONSENT", "OBJECTION", "RESTRICTION", "SEEN_IN_OUTPUT")


@click.group(cls=Verbs)
def request() -> None:
    """Hand in requests of people, and ask how far they are."""


@request.command()
@click.option("--email", default="-", help="Of the person; - reads a line of standard input.")
@click.option("--kind", type=click.Choice(KINDS), default="ERASURE", show_default=True)
@click.option("--locale", default="en", show_default=True, help="Language of the letters.")
@click.option("--description", type=click.File(), help="A file with what they wrote; - reads on.")
@click.option("--model", default="", help="The model that they named.")
@click.option(
    "--identifier",
    multiple=True,
    help="KIND=VALUE by which they may be known as well (EMAIL, EXTERNAL); KIND=- reads a line.",
)
@click.option("--direct-marketing", is_flag=True, help="An OBJECTION to direct marketing.")
@click.option("--received-at", default="", help="When it came: 2026-03-02T09:30+01:00; else now.")
@click.option("--key", default="", help="Idempotency-Key: the same again makes no second case.")
@click.option(
    "--buffer", type=click.Path(path_type=Path), envvar="EXPUNGE_BUFFER", help="A folder."
)
@asks
def new(  # noqa: PLR0913  (the fields of a request)
    client: Client,
    shown: Shown,
    *,
    email: str,
    kind: str,
    locale: str,
    description: TextIO | None,
    model: str,
    identifier: tuple[str, ...],
    direct_marketing: bool,
    received_at: str,
    key: str,
    buffer: Path | None,
) -> None:
    """Hand in a request; the person gets a link to confirm it.

    With --buffer it is kept in that folder while the platform is away; `request flush` sends it.
    """
    client.keep_in(buffer)
    made = client.request(
        email=private(email, "The e-mail address"),
        kind=kind,
        locale=locale,
        identifiers=[_identifier(one) for one in identifier],
        description=description.read() if description else "",
        model_name=model,
        direct_marketing=direct_marketing,
        received_at=_moment(received_at),
        key=key,
    )
    shown.tell(f"{made['reference']} is {made['status'].lower()}.", made)


@request.command()
@click.argument("reference")
@asks
def status(client: Client, shown: Shown, reference: str) -> None:
    """Say how far a request is."""
    shown.one(client.case(reference))


@request.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@asks
def flush(client: Client, shown: Shown, folder: Path) -> None:
    """Send the requests that wait in FOLDER.

    Ends with 3 if the platform refused one, which is kept in the folder with the reason, and
    with 5 if some still wait.
    """
    client.keep_in(folder)
    made = client.flush()
    told = {"sent": made.sent, "refused": made.refused, "waiting": made.waiting}
    shown.tell(f"{made.sent} sent.", told)
    if made.refused or made.waiting:
        sentence = " ".join([*made.refused, *made.waiting])
        raise Told(sentence, Exit.REFUSED if made.refused else Exit.AWAY)


def _identifier(text: str) -> tuple[str, str]:
    kind, equals, value = text.partition("=")
    if not equals:
        raise click.BadParameter(f"It is {kind!r}; write KIND=VALUE or KIND=-.")
    return kind, private(value, f"The identifier {kind}")


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise click.BadParameter(
            f"--received-at is {text!r}; write a moment with its zone: 2026-03-02T09:30+01:00."
        )
    return moment
