"""The stored policy values of a request, and what the environment says about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core import checks

from audits.core.policy_keys import KEYS
from audits.queries.policy_values import held

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse


class OnePolicy:
    """Answer a request by one policy, which is asked for once at most."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer with the values that are in force now."""
        with held():
            return self.get_response(request)


@checks.register()
def locked_keys_exist(**_: Any) -> list[checks.CheckMessage]:  # noqa: ANN401  (Django's signature)
    """Refuse to lock a value that nobody could change: it would be a slip of the pen."""
    unknown = sorted(set(settings.EXPUNGE_LOCKED) - set(KEYS))
    if not unknown:
        return []
    return [
        checks.Error(
            f"EXPUNGE_LOCKED names {unknown[0]!r}; allowed are {', '.join(KEYS)}.",
            hint="See docs/settings.md.",
            id="expunge.E040",
        )
    ]
