"""Pages for members of staff with a right; the services ask for it again."""

from __future__ import annotations

from functools import wraps
from types import MappingProxyType
from typing import TYPE_CHECKING, Concatenate, ParamSpec

from django.contrib import messages
from django.shortcuts import redirect
from django.utils import timezone

from audits.core.roles import Right
from audits.queries.page_words import retold
from audits.services import refusals
from audits.services.four_eyes import NotYourDecision
from audits.services.rights import NotAllowed, has_right, require
from audits.views.access import staff_of, staff_page

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from django.contrib.auth.models import User
    from django.http import HttpRequest, HttpResponse

P = ParamSpec("P")
# The action of ``audits.workflow`` that a page asks for, where its address has another name.
ACTIONS: Mapping[str, str] = MappingProxyType(
    {
        "answer_route": "choose_route",
        "ask_more": "ask_information",
        "copy_answer": "receive_information",
        "destroy": "destroy_version",
        "duplicate": "decide_duplicate",
        "duplicates": "decide_duplicates",
        "except_version": "propose_exception",
        "forget_set": "choose_records",
        "identity": "check_identity",
        "letter_again": "try_letter_again",
        "letter_posted": "post_letter",
        "lift": "plan_lift",
        "mandate": "see_mandate",
        "notice": "note_notice",
        "objection": "decide_objection",
        "outside": "use_outside_version",
        "proof_destroyed": "note_proof_destroyed",
        "question_back": "take_question_back",
        "release": "release_held",
        "restrict": "accept",
        "send_letter": "send_staff_letter",
        "unidentified": "close_unidentified",
    }
)


def needing(
    *rights: Right,
) -> Callable[
    [Callable[Concatenate[HttpRequest, P], HttpResponse]],
    Callable[Concatenate[HttpRequest, P], HttpResponse],
]:
    """Serve a page to whoever holds one of the rights."""

    def guard(
        view: Callable[Concatenate[HttpRequest, P], HttpResponse],
    ) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            user = staff_of(request)
            try:
                require(user, *rights)
            except NotAllowed as error:
                _note(request, user, error)
                raise
            try:
                return view(request, *args, **kwargs)
            except NotYourDecision as error:  # where the view does not say it on its own page
                return _not_yours(request, user, error)

        return staff_page(guarded)

    return guard


def _note(request: HttpRequest, user: User, error: NotAllowed) -> None:
    """Log an attempt at a case that its service would have refused, and logged."""
    found = request.resolver_match
    if request.method == "POST" and found and "case_id" in found.kwargs:
        refusals.note_refusal(
            case_ids=[found.kwargs["case_id"]],
            action=ACTIONS.get(str(found.url_name), str(found.url_name)),
            error=error,
            user=user,
            now=timezone.now(),
        )


def _not_yours(request: HttpRequest, user: User, error: NotYourDecision) -> HttpResponse:
    """Say on the page of the case why somebody else does this; log it where no action did."""
    if not error.noted:
        refusals.note_refusal(
            case_ids=[error.case_id],
            action=error.action,
            error=error,
            user=user,
            now=timezone.now(),
        )
    messages.error(request, retold(error))
    return redirect("audits:case", case_id=error.case_id)


def may(request: HttpRequest, *rights: Right) -> bool:
    """Return whether the member of staff holds one of the rights."""
    return has_right(staff_of(request), *rights)


def rights_of(request: HttpRequest) -> dict[str, bool]:
    """Return what a page shows by right: ``may_handle`` and so on."""
    return {f"may_{right.name.lower()}": may(request, right) for right in Right}
