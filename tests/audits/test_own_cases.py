"""Nobody of the staff acts on a case of their own: every action, from the table of all of them."""

from __future__ import annotations

import inspect
from datetime import date

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client
from django.urls import reverse

from audits import workflow
from audits.core import role_page
from audits.models import (
    Decision,
    DuplicateFinding,
    Letter,
    LocationException,
    Notice,
    Recipient,
    VersionException,
)
from audits.services import notices, version_exceptions
from audits.services.four_eyes import NotYourDecision
from audits.services.version_exceptions import ExceptionRefused
from lineage.services import jobs
from tests.audits import world as worlds
from tests.audits.kinds import BALANCE
from tests.audits.world import ADA, NOW, empty_version, logged, officer, queued_run, verified_case

pytestmark = pytest.mark.django_db
# Nobody's case, or one that the operator started: nobody asked in it.
OF_NO_PERSON = {
    *("enter", "open_case", "choose_records", "propose_forget_set", "return_forget_set"),
    *("approve_forget_set", "drop_case", "place_hold", "release_hold"),
    *("publish_letter", "restore_letter"),
}

OF_A_CASE = {"case_id", "run_id", "decision", "finding_id", "exception_id", "letter_id"}
# What is asked for before the case is looked at.
WELL_FORMED: dict[str, dict[str, object]] = {
    "accept": {"ground": worlds.CONSENT},
    "refuse": {"code": "ART_17_3_E"},
    "decide_objection": {"upheld": False, "text": BALANCE},
    "return_decision": {"note": "No."},
    "decide_duplicate": {"decision": "KEEP"},
    "decide_duplicates": {"decision": "KEEP"},
    "plan_lift": {"reason": BALANCE},
}


@pytest.fixture
def case():
    return verified_case()


@pytest.fixture
def ada():
    return User.objects.create_superuser("ada", email=f" {ADA.upper()}")


@pytest.fixture
def given(case):
    """What each action takes, of the case of Ada."""
    run = queued_run(case)
    version = empty_version("other")
    decision = Decision.objects.create(
        request=case, kind="ACCEPT", proposed_by=officer(), proposed_at=NOW
    )
    finding = DuplicateFinding.objects.create(
        request=case, space=run.space, forget_ordinal=0, other_ordinal=6, kind="NEAR", distance=0.1
    )
    excepted = LocationException.objects.create(
        decision=decision,
        code="ART_17_3_B",
        basis="AO",
        scope="x",
        place="x",
        until=date(2036, 5, 1),
    )
    stays = VersionException.objects.create(
        request=case,
        version=version,
        code="LEGAL_DUTY",
        until=date(2036, 5, 1),
        proposed_by=officer(),
        proposed_at=NOW,
    )
    letter = Letter.objects.create(request=case, code="EXTENSION", created_at=NOW, state="TO_POST")
    return {
        "case_id": case.pk,
        "run_id": run.pk,
        "version_id": version.pk,
        "version": version,
        "decision": decision,
        "finding_id": finding.pk,
        "job_id": jobs.create_job(
            key="cancelled", kind="UNLEARN", queue="heavy", payload_id=run.pk, now=NOW
        ).pk,
        "exception_id": {LocationException: excepted.pk, VersionException: stays.pk},
        "letter_id": letter.pk,
        "findings": [finding.pk],
        "identifiers": [("EXTERNAL", "C-1")],
    }


def asked_of(name, given):
    action = getattr(workflow, name)
    days = dict.fromkeys(("lift_on", "until", "posted_on"), date(2036, 5, 1))
    asked = {
        key: {**days, **given, **WELL_FORMED.get(name, {})}.get(key, "X")
        for key, parameter in inspect.signature(action).parameters.items()
        if parameter.default is parameter.empty and key != "user"
    }
    if "exception_id" in asked:
        of_place = name in ("erase_excepted", "note_place_erased")
        asked["exception_id"] = asked["exception_id"][
            LocationException if of_place else VersionException
        ]
    return action, asked


def test_L22_every_action_on_a_case_is_refused_to_whom_it_is_about(given, case, ada):
    let_through = []
    for name in sorted(set(role_page.ACTIONS) - OF_NO_PERSON):
        action, asked = asked_of(name, given)
        if OF_A_CASE.isdisjoint(asked):
            continue  # of the policy, or of a queue
        try:
            with transaction.atomic():
                action(**asked, user=ada)
        except NotYourDecision as error:
            if error.reason != "OWN_REQUEST":
                let_through.append((name, error.reason))
        except Exception as error:  # noqa: BLE001  (something else was asked first)
            let_through.append((name, repr(error)))
        else:
            let_through.append((name, "done"))
    assert let_through == []


def test_L22_what_no_action_does_about_notices_is_refused_as_well_and_logged(case, ada):
    notice = Notice.objects.create(
        request=case,
        occasion="ERASED",
        recipient=Recipient.objects.create(name="Lab"),
        created_at=NOW,
        next_at=NOW,
    )
    for name in ("told_done", "told_not_possible"):
        client = Client()
        client.force_login(ada)
        found = client.post(reverse(f"audits:{name}", args=[case.pk, notice.pk]))
        assert found["Location"] == reverse("audits:case", args=[case.pk])
    with pytest.raises(NotYourDecision):
        notices.note_who_asked(case_id=case.pk, asked=True, user=ada)
    assert logged(case, "action_refused") == [
        {"action": "NOTE_ACKNOWLEDGED", "reason": "OWN_REQUEST"},
        {"action": "NOTE_NOT_POSSIBLE", "reason": "OWN_REQUEST"},
    ]


def test_L22_two_accounts_of_one_address_are_one_pair_of_eyes(given, case):
    User.objects.filter(username=officer().username).update(email="bob@example.com")
    second = User.objects.create_superuser("second", email="Bob@Example.com")
    with pytest.raises(NotYourDecision, match="You proposed this decision"):
        workflow.approve_decision(decision=given["decision"], user=second)
    with pytest.raises(ExceptionRefused, match="Somebody else than who proposed"):
        version_exceptions.approve(
            exception_id=given["exception_id"][VersionException], user=second, now=NOW
        )
    Decision.objects.update(state="APPROVED", approved_by=worlds.reviewer(), approved_at=NOW)
    User.objects.filter(pk=worlds.reviewer().pk).update(email="bob@example.com")
    with pytest.raises(NotYourDecision, match="does not carry it out"):
        workflow.retry(case_id=case.pk, user=second)
