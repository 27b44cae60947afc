"""Webhooks: which systems are told what happens, and how that goes (scope ``webhooks:write``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from expunge.areas.asking import Area, given, part

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from expunge.webhook_answers import Message, Webhook, WebhookWithSecret


class WebhookCalls(Area):
    """The webhooks of a platform; ``expunge.webhooks`` checks what they send."""

    def webhooks(self) -> Iterator[Webhook]:
        """Yield the systems that are told what happens, by name, page by page."""
        return cast("Iterator[Webhook]", self._calls.items("webhooks"))

    def webhook(self, webhook: str) -> Webhook:
        """Return a webhook by its identifier."""
        return cast("Webhook", self._calls.get(f"webhooks/{part(webhook)}"))

    def add_webhook(self, name: str, url: str, events: Sequence[str]) -> WebhookWithSecret:
        """Tell a system what happens from now on; its secret is in this answer alone.

        Args:
            name: small letters, digits and hyphens; it is used once.
            url: where the messages go.
            events: types of messages, of the list in docs/webhooks.md.

        Raises:
            Conflict: the name is used, perhaps by an attempt whose answer was lost.
        """
        said = {"name": name, "url": url, "events": list(events)}
        return cast("WebhookWithSecret", self._calls.post("webhooks", said))

    def remove_webhook(self, webhook: str) -> None:
        """Tell a system nothing any more; its secret is destroyed, its messages are deleted."""
        self._calls.delete(f"webhooks/{part(webhook)}")

    def pause_webhook(self, webhook: str) -> Webhook:
        """Tell a system nothing until it is resumed; nothing is lost meanwhile."""
        return cast("Webhook", self._calls.post(f"webhooks/{part(webhook)}/pause", {}))

    def resume_webhook(self, webhook: str) -> Webhook:
        """Tell a system again, first what happened while it was paused."""
        return cast("Webhook", self._calls.post(f"webhooks/{part(webhook)}/resume", {}))

    def change_webhook_secret(self, webhook: str, number: int) -> WebhookWithSecret:
        """Return a new secret; the one before, whose ``number`` is given, signs on for a day."""
        made = self._calls.post(f"webhooks/{part(webhook)}/secret", {"number": number})
        return cast("WebhookWithSecret", made)

    def test_webhook(self, webhook: str, *, key: str = "") -> Message:
        """Send a message that tells of nothing; ``messages`` says how that went."""
        return cast("Message", self._calls.post(f"webhooks/{part(webhook)}/test", {}, key=key))

    def messages(self, webhook: str, *, state: str = "") -> Iterator[Message]:
        """Yield the messages to a system, WAITING, SENT or FAILED, the newest first."""
        found = self._calls.items(f"webhooks/{part(webhook)}/deliveries", **given(state=state))
        return cast("Iterator[Message]", found)

    def send_again(self, webhook: str, message: str, *, key: str = "") -> Message:
        """Send a message again, with the identifier and the bytes that it had."""
        address = f"webhooks/{part(webhook)}/deliveries/{part(message)}/again"
        return cast("Message", self._calls.post(address, {}, key=key))
