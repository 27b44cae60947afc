"""Which language a page speaks: that of the reader, but in the Django admin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import translation
from django.utils.cache import patch_vary_headers

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

ADMIN, API = "/admin/", "/api/"
YEAR = 365 * 24 * 3600


class ReaderLanguage:
    """Speak the language that a reader chose, else the one that their browser asks for.

    A link of a page chooses with ``?lang=``; a cookie that says nothing else keeps it. The admin
    and the API stay English: the names of their fields are those of the documentation.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer in one language, and name it."""
        english = request.path_info.startswith((ADMIN, API))
        chosen = "" if english else request.GET.get("lang", "")
        if chosen not in dict(settings.LANGUAGES):
            chosen = ""
        language = chosen or (
            settings.LANGUAGE_CODE if english else translation.get_language_from_request(request)
        )
        with translation.override(language):
            response = self.get_response(request)
            response.headers.setdefault("Content-Language", translation.get_language() or language)
        if not english:
            patch_vary_headers(response, ("Accept-Language", "Cookie"))
        if chosen:
            _keep(response, chosen)
        return response


def _keep(response: HttpResponse, language: str) -> None:
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=YEAR,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
