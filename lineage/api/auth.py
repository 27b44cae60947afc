"""Bearer keys with scopes, each counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from django.utils import timezone
from ninja.security import HttpBearer

from lineage.api.rates import count_call
from lineage.services.api_keys import ScopeMissing, use_key

if TYPE_CHECKING:
    from django.http import HttpRequest

    from lineage.models import ApiKey


_KNOWN = "_expunge_key"


class Scope(HttpBearer):
    """Requires ``Authorization: Bearer <key>`` with a key that has one of the scopes."""

    def __init__(self, scope: str, *others: str) -> None:
        super().__init__()
        self.scope, self.others = scope, others

    def authenticate(self, request: HttpRequest, token: str) -> ApiKey:
        """Return the key.

        Raises:
            KeyNotKnown, KeyRefused: problems of status 401 and 403.
            RateExceeded: the key was used too often; 429.
        """
        known: ApiKey | None = getattr(request, _KNOWN, None)
        if known is not None:  # this call's key was checked, and counted
            return known
        now = timezone.now()
        try:
            key = use_key(secret=token, scope=self.scope, others=self.others, now=now)
        except ScopeMissing as refused:
            count_call(request, refused.key, now)  # what is refused costs us a call as well
            raise
        count_call(request, key, now)
        setattr(request, _KNOWN, key)
        return key


def key_of(request: HttpRequest) -> ApiKey:
    """Return the key that a call was made with."""
    return cast("ApiKey", vars(request)["auth"])  # set by Ninja
