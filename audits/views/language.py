"""In which language a person is spoken to on the pages of their own request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import translation

if TYPE_CHECKING:
    from django.http import HttpRequest

    from audits.models import ErasureRequest, Notice


def speak_to(request: HttpRequest, about: ErasureRequest | Notice) -> None:
    """Speak the language of a request or notice where nobody chose another in this browser.

    The link of a letter may open in a browser that has never been here. The middleware of
    languages puts back what was spoken before.
    """
    chosen = settings.LANGUAGE_COOKIE_NAME in request.COOKIES or "lang" in request.GET
    known = about.locale.partition("-")[0]
    if not chosen and known in dict(settings.LANGUAGES):
        translation.activate(known)
