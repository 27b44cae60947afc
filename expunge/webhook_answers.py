"""The shapes of what the API answers about webhooks, as in ``expunge.answers``."""

from __future__ import annotations

from typing import TypedDict


class Webhook(TypedDict):
    """A system that is told what happens, and how that goes."""

    created_at: str
    events: list[str]
    failures_in_a_row: int
    health: str
    last_answer_at: str | None
    name: str
    paused_because: str
    secret_number: int
    state: str
    two_secrets_until: str | None
    url: str
    webhook: str


class WebhookWithSecret(Webhook):
    """A webhook with its secret, which is told this once."""

    secret: str


class Message(TypedDict):
    """A message to a webhook; ``index`` is of its event in the log."""

    attempts: int
    created_at: str
    error: str
    index: int | None
    message: str
    next_try_at: str | None
    sent_at: str | None
    state: str
    status: int | None
    type: str
