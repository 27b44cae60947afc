"""What a person has answered so far: kept by their own browser, and nowhere here.

A signed cookie for the public pages alone. Nothing is stored on the server before a request is
sent, so a form that somebody gives up leaves no trace. The signature keeps a machine from making
up the page that it has not opened.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from django.conf import settings
from django.core import signing
from django.urls import reverse

from audits.views.intake_forms import MARKETING, Kind

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

COOKIE, SALT = "expunge_draft", "audits.draft"
KEPT_SECONDS = 2 * 3600
# A browser keeps 4,096 bytes of a cookie, its name included.
MOST_BYTES = 3800
ABOUT_MORE = (Kind.OBJECTION, MARKETING, Kind.SEEN_IN_OUTPUT)


class DraftTooLong(ValueError):
    """The answers do not fit into a cookie."""


@dataclass(frozen=True, kw_only=True)
class Draft:
    """The answers of the pages; ``said_more`` once what only this kind needs was asked."""

    kind: str = ""
    said_more: bool = False
    description: str = ""
    model_name: str = ""
    email: str = ""
    stamp: str = ""

    @property
    def step(self) -> str:
        """Return the first page that is still to be answered."""
        if not self.kind:
            return "kind"
        if self.kind in ABOUT_MORE and not self.said_more:
            return "more"
        # A withdrawal of consent is one step: the page with the address sends it.
        return "email" if not self.email or self.kind == Kind.CONSENT else "check"


def draft_of(request: HttpRequest) -> Draft:
    """Return what was answered so far; an empty draft where it is missing, old or not ours."""
    try:
        return Draft(**signing.loads(request.COOKIES[COOKIE], salt=SALT, max_age=KEPT_SECONDS))
    except (KeyError, TypeError, signing.BadSignature):
        return Draft()


def keep(response: HttpResponse, draft: Draft) -> HttpResponse:
    """Hand the answers to the browser. Raises DraftTooLong for more than a cookie holds."""
    value = signing.dumps(asdict(draft), salt=SALT, compress=True)
    if len(value) > MOST_BYTES:
        raise DraftTooLong
    response.set_cookie(
        COOKIE,
        value,
        path=reverse("audits:erasure_form"),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response


def forget(response: HttpResponse) -> HttpResponse:
    """Have the browser drop the answers."""
    response.delete_cookie(COOKIE, path=reverse("audits:erasure_form"), samesite="Lax")
    return response
