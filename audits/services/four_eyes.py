"""Who may not have a hand in a decision: the person themselves, and one person in both places.

It holds for superusers too: four eyes are a matter of people, not of rights.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audits.models import ErasureRequest, Intake
from audits.queries.accounts import accounts_of
from audits.queries.decisions import approved_by, is_own_request
from lineage.core.worded import worded

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from django.contrib.auth.models import User

    from audits.models import Decision

OWN_REQUEST = "OWN_REQUEST"
OWN_PROPOSAL = "OWN_PROPOSAL"
OWN_APPROVAL = "OWN_APPROVAL"
OWN_INTAKE = "OWN_INTAKE"


class NotYourDecision(Exception):
    """The member of staff may not do this to this case; the sentence says why.

    ``case_id``, ``action`` and ``reason`` are what ``refusals.note_refusal`` writes to the log;
    ``noted`` says that it did.
    """

    noted = False

    def __init__(self, sentence: str, *, case_id: UUID, action: str, reason: str) -> None:
        super().__init__(sentence)
        self.case_id, self.action, self.reason = case_id, action, reason


def check_stranger(*, request: ErasureRequest, user: User, action: str) -> None:
    """Refuse whoever would decide on their own request.

    Raises:
        NotYourDecision: the account's e-mail address is the person's.
    """
    if is_own_request(request, user):
        raise NotYourDecision(
            worded(
                "Case %(case)s is your own request, by the e-mail address of your account. "
                "Somebody else decides about it.",
                case=request.reference,
            ),
            case_id=request.pk,
            action=action,
            reason=OWN_REQUEST,
        )


def check_stranger_to(*, case_id: UUID, user: User, action: str) -> None:
    """Refuse whoever would act on a case of their own. Raises as ``check_stranger``."""
    request = ErasureRequest.objects.get(pk=case_id)
    check_stranger(request=request, user=user, action=action)


def check_other_program(*, case_id: UUID, key_name: str, action: str) -> None:
    """Refuse a program that would vouch for a request that it handed in itself.

    With a doubt by which nobody is found, it would close the case without anybody having looked.

    Raises:
        NotYourDecision: keys of this name handed the case in.
    """
    if not key_name:
        return
    own = Intake.objects.select_related("request").filter(pk=case_id, key_name=key_name).first()
    if own:
        raise NotYourDecision(
            worded(
                "Keys of the name %(key_name)s handed in case %(case)s: who asks is "
                "confirmed by a member of staff at a page, or by a key of another name.",
                key_name=repr(key_name),
                case=own.request.reference,
            ),
            case_id=case_id,
            action=action,
            reason=OWN_INTAKE,
        )


def check_second(*, decision: Decision, user: User, action: str) -> None:
    """Refuse the approval of whoever proposed, by this account or another of theirs.

    Raises:
        NotYourDecision: it is their own proposal.
    """
    if decision.proposed_by_id in accounts_of(user):
        raise NotYourDecision(
            worded(
                "You proposed this decision about %(case)s. Somebody else approves it.",
                case=decision.request.reference,
            ),
            case_id=decision.request_id,
            action=action,
            reason=OWN_PROPOSAL,
        )


def check_executor(*, cases: Iterable[UUID], user: User, action: str) -> None:
    """Refuse whoever approved one of the cases and would now carry it out, or asked in it.

    Raises:
        NotYourDecision: they approved the case, or the case that it follows on from; or it is
            their own request.
    """
    for case_id in cases:
        check_stranger_to(case_id=case_id, user=user, action=action)
        if approved_by(case_id, user):
            reference = ErasureRequest.objects.only("reference").get(pk=case_id).reference
            raise NotYourDecision(
                worded(
                    "You approved case %(case)s. Whoever approves a case does not carry it "
                    "out: somebody else decides about its models.",
                    case=reference,
                ),
                case_id=case_id,
                action=action,
                reason=OWN_APPROVAL,
            )
