"""What happens when the public form is sent: the same for everybody, known to us or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import redirect
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from audits import workflow
from audits.services.receiving import Told
from audits.views.draft import forget
from audits.views.intake_forms import Kind, wish_of
from audits.views.limiter import too_many
from audits.views.public import RECEIVED, remember
from audits.views.work import is_done

if TYPE_CHECKING:
    from datetime import datetime

    from django.http import HttpRequest, HttpResponse

    from audits.views.draft import Draft

TOO_MANY = _(
    "There were too many requests from your network or for this address. Please try again in an "
    "hour. Nothing you sent was lost if you have a confirmation e-mail."
)
NO_PROOF = _(
    "Your browser did not finish the calculation that this form asks for. Please press the "
    "button once more, and wait until the page changes."
)


class NotSent(Exception):
    """The request was not taken; the sentence says why, ``status`` is that of the page."""

    def __init__(self, sentence: object, *, status: int) -> None:
        super().__init__(str(sentence))
        self.status = status


def send(request: HttpRequest, draft: Draft, *, now: datetime, proof: str) -> HttpResponse:
    """Take in what was answered, and lead to the page with the reference.

    Raises:
        NotSent: too many came from here, a calculation is missing, or no letter could be sent.
    """
    if not is_done(stamp=draft.stamp, email=draft.email, proof=proof):
        raise NotSent(NO_PROOF, status=400)
    if too_many(request, email=draft.email, now=now):
        raise NotSent(TOO_MANY, status=429)
    wish = wish_of(draft.kind, get_language() or "en")
    told = Told(description=draft.description, model_name=draft.model_name)
    try:
        received = workflow.submit(
            email=draft.email,
            kind=wish.kind,
            marketing=wish.marketing,
            locale=wish.locale,
            told=told if draft.kind == Kind.SEEN_IN_OUTPUT else None,
        )
    except workflow.LetterNotSent as error:
        raise NotSent(error, status=503) from error
    remember(request, RECEIVED, received.request)
    return forget(redirect("audits:erasure_received"))
