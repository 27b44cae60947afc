"""The Django admin's theme evaluates expressions; its prefix alone gets a looser policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from csp.constants import SELF, UNSAFE_EVAL, UNSAFE_INLINE

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse


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
