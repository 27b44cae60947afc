"""Bearer keys with scopes."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from django.utils import timezone
from ninja.security import HttpBearer

from lineage.services.api_keys import KeyRefused, use_key

if TYPE_CHECKING:
    from django.http import HttpRequest

    from lineage.models import ApiKey


class Scope(HttpBearer):
    """Requires ``Authorization: Bearer <key>`` with a key that has one of the scopes."""

    def __init__(self, scope: str, *others: str) -> None:
        super().__init__()
        self.scope, self.others = scope, others

    def authenticate(self, request: HttpRequest, token: str) -> ApiKey:  # noqa: ARG002  (Ninja's signature)
        """Return the key. Raises KeyRefused, which becomes a problem of status 403."""
        for other in self.others:
            with suppress(KeyRefused):
                return use_key(secret=token, scope=other, now=timezone.now())
        return use_key(secret=token, scope=self.scope, now=timezone.now())
