"""What every request passes: no answers from an unreplayed restore, a policy for the admin.

The Django admin's theme evaluates expressions; its prefix alone gets a looser policy.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from csp.constants import SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.http import HttpResponse

from lineage.api.problems import problem
from lineage.services.missing_erasures import replay_needed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from django.http import HttpRequest


REFUSAL = (
    "This site was restored from a backup and holds data that has been erased since, or its "
    "journal of erasures is missing. It answers again once its operator has run: "
    "manage.py replay_erasures\n"
)


HEALTH = {"/api/v1/health", "/api/v1/health/live"}


class RestoredMustReplay:
    """Serve nothing while the database holds people who were erased after its backup."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, or refuse with 503 and a sentence; health says the same on its own."""
        if request.path not in HEALTH and replay_needed():
            if request.path.startswith("/api/"):
                return problem(503, REFUSAL.strip())
            return HttpResponse(REFUSAL, status=503, content_type="text/plain; charset=utf-8")
        return self.get_response(request)


class StrictHeaders:
    """What Django does not say itself, on every answer: files and errors too.

    Nothing here is for other sites to embed, and no page needs a camera, a place or a purse.
    """

    SAID: Mapping[str, str] = MappingProxyType(
        {
            "Cross-Origin-Resource-Policy": "same-origin",
            "Permissions-Policy": (
                "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), "
                "magnetometer=(), microphone=(), midi=(), payment=(), usb=(), "
                "publickey-credentials-create=(self), publickey-credentials-get=(self)"
            ),
        }
    )

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, and say it."""
        response = self.get_response(request)
        for name, value in self.SAID.items():
            response.headers.setdefault(name, value)
        return response


class AdminContentPolicy:
    """Loosen script-src and style-src below /admin/, and nowhere else."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, and name the looser policy where the admin's theme needs it."""
        response: Any = self.get_response(request)
        if request.path.startswith("/admin/"):
            response._csp_replace = {  # noqa: SLF001  (what django-csp's decorator sets)
                "script-src": [SELF, UNSAFE_EVAL],
                "style-src": [SELF, UNSAFE_INLINE],
            }
        return response  # type: ignore[no-any-return]  # set on any response
