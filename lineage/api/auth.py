"""Bearer keys with scopes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone
from ninja.security import HttpBearer

from lineage.services.api_keys import use_key

if TYPE_CHECKING:
    from django.http import HttpRequest

    from lineage.models import ApiKey


class Scope(HttpBearer):
    """Requires ``Authorization: Bearer <key>`` with a key that has the scope."""

    def __init__(self, scope: str) -> None:
        super().__init__()
        self.scope = scope

    def authenticate(self, request: HttpRequest, token: str) -> ApiKey:  # noqa: ARG002  (Ninja's signature)
        """Return the key. Raises KeyRefused, which becomes a problem of status 403."""
        return use_key(secret=token, scope=self.scope, now=timezone.now())
