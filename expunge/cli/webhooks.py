"""Webhooks: which systems are told what happens, and what became of each message."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from expunge.cli.cases import LIMIT
from expunge.cli.session import Exit, Told, Verbs, asks

if TYPE_CHECKING:
    from expunge.cli.showing import Shown
    from expunge.client import Client
    from expunge.webhook_answers import Message, Webhook, WebhookWithSecret

STATES = ("WAITING", "SENT", "FAILED")
NAME = click.argument("name")


@click.group(cls=Verbs)
def webhook() -> None:
    """Which systems are told what happens, and how that goes."""


@webhook.command("list")
@LIMIT
@asks
def listed(client: Client, shown: Shown, *, limit: int) -> None:
    """List the systems that are told what happens."""
    shown.rows(client.webhooks(), ("name", "state", "health", "url", "events", "webhook"), limit)


@webhook.command()
@NAME
@asks
def show(client: Client, shown: Shown, name: str) -> None:
    """Show a system that is told what happens, by its name or identifier."""
    shown.one(client.webhook(_called(client, name)["webhook"]))


@webhook.command()
@NAME
@click.argument("url")
@click.option(
    "--event", multiple=True, required=True, help="What it is told; give it several times."
)
@asks
def add(client: Client, shown: Shown, *, name: str, url: str, event: tuple[str, ...]) -> None:
    """Tell a system from now on; prints its secret, once. docs/webhooks.md lists the events."""
    _secret(shown, client.add_webhook(name, url, event))


@webhook.command()
@NAME
@asks
def rotate(client: Client, shown: Shown, name: str) -> None:
    """Make a new secret, printed once; the one before signs beside it for a day."""
    found = _called(client, name)
    _secret(shown, client.change_webhook_secret(found["webhook"], found["secret_number"]))


@webhook.command()
@NAME
@click.option("--yes", is_flag=True, help="Do not ask once more.")
@asks
def remove(client: Client, shown: Shown, *, name: str, yes: bool) -> None:
    """Tell a system nothing any more, and destroy its secret."""
    found = _called(client, name)
    if not yes:
        click.confirm(f"Tell {name} nothing any more?", abort=True, err=True)
    client.remove_webhook(found["webhook"])
    shown.tell(f"{name} is removed; its secret is destroyed.", {"name": name})


@webhook.command()
@NAME
@asks
def pause(client: Client, shown: Shown, name: str) -> None:
    """Tell a system nothing until it is resumed."""
    shown.tell(f"{name} is paused.", client.pause_webhook(_called(client, name)["webhook"]))


@webhook.command()
@NAME
@asks
def resume(client: Client, shown: Shown, name: str) -> None:
    """Tell a system again, first what happened meanwhile."""
    shown.tell(f"{name} goes on.", client.resume_webhook(_called(client, name)["webhook"]))


@webhook.command()
@NAME
@asks
def test(client: Client, shown: Shown, name: str) -> None:
    """Send a message that tells of nothing; `deliveries` says how that went."""
    _waits(shown, client.test_webhook(_called(client, name)["webhook"]))


@webhook.command()
@NAME
@click.option("--state", type=click.Choice(STATES), default=None)
@LIMIT
@asks
def deliveries(client: Client, shown: Shown, *, name: str, state: str | None, limit: int) -> None:
    """List what a system was told, the newest first."""
    found = client.messages(_called(client, name)["webhook"], state=state or "")
    columns = ("message", "type", "state", "attempts", "status", "error", "next_try_at")
    shown.rows(found, columns, limit)


@webhook.command()
@NAME
@click.argument("message")
@asks
def redeliver(client: Client, shown: Shown, *, name: str, message: str) -> None:
    """Send a MESSAGE again, with the identifier that it had."""
    _waits(shown, client.send_again(_called(client, name)["webhook"], message))


def _called(client: Client, name: str) -> Webhook:
    """Return the webhook of a name or an identifier. Raises Told."""
    for one in client.webhooks():
        if name in (one["name"], one["webhook"]):
            return one
    raise Told(f"There is no webhook {name}.", Exit.REFUSED)


def _secret(shown: Shown, made: WebhookWithSecret) -> None:
    click.echo("The secret is shown this once; keep it like a password.", err=True)
    shown.tell(made["secret"], made)


def _waits(shown: Shown, made: Message) -> None:
    shown.tell(f"Message {made['message']} is on its way.", made)
