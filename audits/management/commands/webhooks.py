"""``manage.py webhooks``: the systems that are told what happens."""

from __future__ import annotations

import json
from argparse import SUPPRESS
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from audits import workflow
from audits.core.webhook_events import KINDS, KindsRefused
from audits.core.webhook_words import health_words
from audits.queries import webhooks as queries
from audits.services import webhook_delivery, webhook_outbox
from audits.services import webhooks as service
from audits.services.webhooks import WebhookExists, WebhookNotHere, WebhookRefused

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from audits.models import Webhook, WebhookDelivery

ONCE = "The secret is shown this once; keep it like a password."
VERBS = {
    "test": "send a message that tells of nothing, at once",
    "pause": "tell it nothing until it is resumed",
    "resume": "tell it again, first what happened meanwhile",
    "rotate": "make a new secret; the one before signs beside it for a day",
    "remove": "tell it nothing any more, and destroy its secret",
    "deliveries": "what it was told, the newest first",
}


class Command(BaseCommand):
    """Add, list, try, pause and remove webhooks; see docs/webhooks.md."""

    help = "Tell other systems what happens: signed messages, sent again until they are taken."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true")
        steps = parser.add_subparsers(dest="step")
        steps.add_parser("list", help="who is told what (the default)")
        add = steps.add_parser("add", help="tell a system from now on; shows the secret once")
        add.add_argument("name", help="small letters, digits and hyphens")
        add.add_argument("url", help="where the messages go")
        add.add_argument(
            "--event",
            action="append",
            required=True,
            dest="kinds",
            metavar="TYPE",
            help=f"what it is told; give it several times: {', '.join(KINDS)}",
        )
        for name, words in VERBS.items():
            steps.add_parser(name, help=words).add_argument("name")
        steps.choices["deliveries"].add_argument("--failed", action="store_true")
        steps.choices["deliveries"].add_argument("--limit", type=int, default=50)
        again = steps.add_parser("redeliver", help="send a message again, with the id that it had")
        again.add_argument("message", type=UUID, help="as deliveries shows it")
        for step in steps.choices.values():
            step.add_argument("--json", action="store_true", default=SUPPRESS)

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        """Do one step. Raises CommandError with a sentence."""
        try:
            told, words = getattr(self, f"_{options['step'] or 'list'}")(options)
        except (KindsRefused, WebhookExists, WebhookNotHere, WebhookRefused) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(json.dumps(told, indent=2, default=str) if options["json"] else words)

    def _list(self, _options: dict[str, Any]) -> tuple[Any, str]:
        found = list(queries.webhooks())
        lines = [
            f"{one.name}: {one.url}, {_health(one).lower()}, {one.waiting} waiting, "
            f"{one.given_up} given up; {', '.join(one.kinds)}"
            for one in found
        ]
        return [_shown(one) for one in found], "\n".join(lines) or "No system is told anything."

    def _add(self, options: dict[str, Any]) -> tuple[Any, str]:
        made = service.add_webhook(
            name=options["name"],
            url=options["url"],
            kinds=options["kinds"],
            now=timezone.now(),
        )
        return self._secret(made)

    def _rotate(self, options: dict[str, Any]) -> tuple[Any, str]:
        hook = _called(options)
        made = service.change_secret(
            webhook_id=hook.pk, number=hook.generation, now=timezone.now()
        )
        return self._secret(made)

    def _secret(self, made: service.NewSecret) -> tuple[Any, str]:
        self.stderr.write(ONCE)
        return {**_shown(made.webhook), "secret": made.secret}, made.secret

    def _remove(self, options: dict[str, Any]) -> tuple[Any, str]:
        hook = _called(options)
        service.remove(webhook_id=hook.pk, now=timezone.now())
        return {"name": hook.name}, f"{hook.name} is removed; its secret is destroyed."

    def _pause(self, options: dict[str, Any]) -> tuple[Any, str]:
        hook = _called(options)
        done = workflow.pause_webhook(webhook_id=hook.pk, user=None)
        return _shown(_called(options)), f"{hook.name} {'is' if done else 'was'} paused."

    def _resume(self, options: dict[str, Any]) -> tuple[Any, str]:
        hook = _called(options)
        done = workflow.resume_webhook(webhook_id=hook.pk, user=None)
        return _shown(_called(options)), f"{hook.name} {'goes on' if done else 'was not paused'}."

    def _test(self, options: dict[str, Any]) -> tuple[Any, str]:
        now = timezone.now()
        made = webhook_outbox.test(webhook_id=_called(options).pk, user=None, now=now)
        return self._sent(webhook_delivery.deliver_now(delivery=made, now=now))

    def _redeliver(self, options: dict[str, Any]) -> tuple[Any, str]:
        now = timezone.now()
        found = webhook_outbox.send_again(delivery_id=options["message"], user=None, now=now)
        return self._sent(webhook_delivery.deliver_now(delivery=found, now=now))

    def _sent(self, one: WebhookDelivery) -> tuple[Any, str]:
        if one.sent_at is None or one.state != one.State.SENT:
            more = f"; next try {one.next_at:%Y-%m-%d %H:%M:%S %Z}" if one.next_at else ""
            raise CommandError(f"It was not taken: {one.status or one.error}{more}.")
        return _message(one), f"It was taken: {one.status}."

    def _deliveries(self, options: dict[str, Any]) -> tuple[Any, str]:
        found = queries.deliveries(_called(options).pk)
        if options["failed"]:
            found = found.filter(state="FAILED")
        shown = [_message(one) for one in found[: max(options["limit"], 1)]]
        lines = [
            f"{one['message']}  {one['type']}  {one['state'].lower()}  {one['attempts']} tries"
            + (f"  {one['status'] or one['error']}" if one["status"] or one["error"] else "")
            + (f"  next {one['next_try_at']:%Y-%m-%d %H:%M:%S}" if one["next_try_at"] else "")
            for one in shown
        ]
        return shown, "\n".join(lines) or "It was told nothing."


def _called(options: dict[str, Any]) -> Webhook:
    found = queries.called(options["name"])
    if found is None:
        raise CommandError(f"There is no webhook {options['name']!r}; see manage.py webhooks list")
    return found


def _health(hook: Webhook) -> str:
    return health_words(queries.health(hook), hook.failures)


def _shown(hook: Webhook) -> dict[str, Any]:
    return {
        "name": hook.name,
        "webhook": hook.pk,
        "url": hook.url,
        "events": hook.kinds,
        "state": hook.state,
        "health": _health(hook),
    }


def _message(one: WebhookDelivery) -> dict[str, Any]:
    return {
        "message": one.pk,
        "type": one.kind,
        "index": one.index,
        "state": one.state,
        "attempts": one.attempts,
        "next_try_at": one.next_at,
        "status": one.status,
        "error": one.error,
    }
