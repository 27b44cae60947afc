"""Which language a page speaks: the public ones that of the reader, those of staff English."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.urls import Resolver404, resolve
from django.utils import translation
from django.utils.cache import patch_vary_headers

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

# The form with what follows it, and the pages of those who are told of a case.
PUBLIC = ("/erasure/", "/told/")
YEAR = 365 * 24 * 3600


class PublicLanguage:
    """Speak the language that a person chose, else the one that their browser asks for.

    A link of the page head chooses with ``?lang=``; a cookie that says nothing else keeps it. A
    page that leads nowhere is public too. All others are staff's and stay English: a page of
    which only the shared parts were translated would speak two languages at once.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer in one language, and name it."""
        public = is_public(request.path_info)
        chosen = request.GET.get("lang", "") if public else ""
        if chosen not in dict(settings.LANGUAGES):
            chosen = ""
        request.public_language = public  # type: ignore[attr-defined]  # read by base.html
        language = chosen or (
            translation.get_language_from_request(request) if public else settings.LANGUAGE_CODE
        )
        with translation.override(language):
            response = self.get_response(request)
            response.headers.setdefault("Content-Language", translation.get_language() or language)
        if public:
            patch_vary_headers(response, ("Accept-Language", "Cookie"))
        if chosen:
            _keep(response, chosen)
        return response


def is_public(path: str) -> bool:
    """Return whether a page is for everybody."""
    if path == "/" or path.startswith(PUBLIC):
        return True
    try:
        resolve(path)
    except Resolver404:
        return True
    return False


def _keep(response: HttpResponse, language: str) -> None:
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=YEAR,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
