"""Closed cases say whose they were until a day, and then nobody can read it any more."""

from __future__ import annotations

import hashlib
from datetime import date, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from audits.core.case_retention import KEPT_FOR, days_of
from audits.core.commitment import opens
from audits.core.events import parse
from audits.models import CaseRetention, ErasureRequest, LegalHold, Letter, LogLeaf
from audits.queries.identity import of_address
from audits.services import holds, retention
from audits.services.rights import NotAllowed
from audits.services.transitions import ALLOWED
from lineage import keys
from tests.audits.closed_cases import (
    ADDRESS,
    CANARY,
    OUTCOMES,
    TOLD,
    YEARS,
    chief,
    ended,
    entered,
    filled,
    held,
    tables_with,
)
from tests.audits.kinds import member
from tests.audits.world import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.database, pytest.mark.usefixtures("signing_key")]


LONG_AFTER = NOW + YEARS


def kept(case) -> CaseRetention:
    return CaseRetention.objects.get(request=case)


def destroyed(case) -> bool:
    return kept(case).key_destroyed_at is not None


def commitment(case) -> str:
    leaf = LogLeaf.objects.get(case_id=case.pk, type="request_received")
    return str(parse(bytes(leaf.data)).data["commitment"])


def test_F11_every_outcome_has_a_rule_and_every_rule_an_outcome():
    assert set(KEPT_FOR) == set(OUTCOMES)


def test_F11_an_outcome_without_a_rule_closes_no_case():
    case = entered()
    with pytest.raises(KeyError, match="outcome is 'SETTLED'; it is not known for how long"):
        ended(case, "SETTLED")
    case.refresh_from_db()
    assert case.status != "SEALED"


def test_F11_every_state_in_which_a_case_can_end_is_one_after_which_it_is_kept():
    """Whatever leads nowhere else, and is no failure, is over."""
    starts = {start for before in ALLOWED.values() for start in before}
    assert set(ALLOWED) - starts - {"ON_HOLD", "FAILED"} == {"SEALED", "EXPIRED"}


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_L4_E5_every_end_is_kept_until_its_day_and_then_destroyed_once(outcome, settings):
    settings.EXPUNGE_CASE_DAYS_BY_OUTCOME = {"REFUSED": 1825, "NO_DATA_FOUND": 365}
    case = ended(entered(), outcome)
    days = {"REFUSED": 1825, "NO_DATA_FOUND": 365, "EXPIRED": 0}.get(outcome, 1095)
    assert kept(case).until == kept(case).closed_on + timedelta(days=days)
    if days:
        assert retention.destroy_due(now=NOW + timedelta(days=days - 1)) == 0
        assert not destroyed(case)
        assert opens(commitment(case), keys.get(f"case:{case.pk}"), {"email": ADDRESS})
        assert retention.destroy_due(now=NOW + timedelta(days=days)) == 1
    assert destroyed(case)
    assert retention.destroy_due(now=LONG_AFTER + YEARS) == 0
    assert LogLeaf.objects.filter(case_id=case.pk, type="case_key_destroyed").count() == 1
    with pytest.raises(keys.KeyDestroyed):
        keys.get(f"case:{case.pk}")


def test_L4_later_settings_do_not_move_the_day(settings):
    case = ended(entered(), "ERASED")
    until = kept(case).until
    settings.EXPUNGE_CASE_DAYS = 60
    assert retention.destroy_due(now=NOW + timedelta(days=61)) == 0
    assert kept(case).until == until


def test_L4_a_case_that_an_earlier_release_closed_is_kept_from_its_closing():
    case = ended(entered(), "ERASED")
    CaseRetention.objects.all().delete()
    assert retention.destroy_due(now=NOW + timedelta(days=1094)) == 0
    assert retention.destroy_due(now=NOW + timedelta(days=1095)) == 1
    assert destroyed(case)


def test_L4_an_open_case_is_never_due():
    case = entered()
    assert retention.destroy_due(now=LONG_AFTER) == 0
    assert ErasureRequest.objects.get(pk=case.pk).email == ADDRESS


def test_L4_what_is_known_of_a_person_is_sealed_at_rest():
    case = filled(entered())
    assert tables_with(ADDRESS, "4711", f"{CANARY} Lee", f"{CANARY} description") == set()
    assert tables_with(f"1 {CANARY} Lane", f"2 {CANARY} Lane", f"{CANARY}.example.com") == set()
    read = ErasureRequest.objects.get(pk=case.pk)
    assert (read.email, read.details.agent_name) == (ADDRESS, TOLD.agent_name)
    assert read.details.identifiers == [["EXTERNAL", f"{CANARY}-4711"]]
    assert of_address(ADDRESS.upper()) == [case.pk]


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_L4_afterwards_no_identity_can_be_read_anywhere(outcome, installation):
    """Whatever was put in: no raw value of any table and no file has it, and the log verifies."""
    held(released=True)
    case = filled(entered())
    assert tables_with(CANARY)
    case = ended(case, outcome)
    secret, said = commitment(case), keys.get_many([f"case:{case.pk}"])
    retention.destroy_due(now=LONG_AFTER)
    assert destroyed(case)
    digest = hashlib.sha256(ADDRESS.encode()).hexdigest()
    assert tables_with(CANARY, digest) == set()
    files = [file for file in installation.rglob("*") if file.is_file()]
    assert [file for file in files if CANARY.encode() in file.read_bytes()] == []
    assert keys.get_many([f"case:{case.pk}"]) == {}
    for old in said.values():  # whoever had kept the key could still open it: it is gone
        assert all(old not in file.read_bytes() for file in files)
        assert opens(secret, old, {"email": ADDRESS})
    out = StringIO()
    call_command("fsck", stdout=out)
    assert "The log is whole" in out.getvalue()
    if outcome != "EXPIRED":
        path = installation / "record.json"
        path.write_bytes(bytes(case.record.data))
        call_command("verify", str(path), stdout=out)
        assert "The record is signed" in out.getvalue()


def test_L4_a_copy_of_the_database_from_before_says_nothing_without_the_key():
    case = ended(filled(entered()), "REFUSED")
    before = ErasureRequest.objects.filter(pk=case.pk).values_list("email", flat=True).get()
    retention.destroy_due(now=LONG_AFTER)
    ErasureRequest.objects.filter(pk=case.pk).update(email=before)  # restored
    assert before
    assert ErasureRequest.objects.get(pk=case.pk).email == ""
    assert of_address(ADDRESS) == []


def test_a_crash_before_the_commit_leaves_a_case_that_the_next_sweep_finishes(monkeypatch):
    case = ended(filled(entered()), "REFUSED")
    real = keys.destroy

    def destroy_and_die(name):
        real(name)
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(keys, "destroy", destroy_and_die)
        with pytest.raises(KeyboardInterrupt):
            retention.destroy_due(now=LONG_AFTER)
    assert not destroyed(case)
    assert not LogLeaf.objects.filter(case_id=case.pk, type="case_key_destroyed").exists()
    assert retention.destroy_due(now=LONG_AFTER) == 1
    assert tables_with(CANARY) == set()


@pytest.mark.parametrize("answered", [False, True])
def test_L4_a_legal_hold_on_the_person_postpones_it(answered):
    """Also one that came after the address was forgotten."""
    case = ended(filled(entered()), "REFUSED")
    if answered:
        ErasureRequest.objects.filter(pk=case.pk).update(email="")
        case.details.delete()
    held(released=False)
    assert retention.destroy_due(now=LONG_AFTER) == 0
    (hold,) = LegalHold.objects.all()
    holds.release_hold(hold_id=hold.pk, user=chief(), now=LONG_AFTER)
    assert retention.destroy_due(now=LONG_AFTER) == 1


def test_L27_a_complaint_keeps_a_case_longer_and_the_log_says_so():
    case = ended(entered(), "REFUSED")
    until = kept(case).until + timedelta(days=400)
    retention.keep_longer(case_id=case.pk, until=until, reason="COMPLAINT", user=chief(), now=NOW)
    assert retention.destroy_due(now=LONG_AFTER) == 0
    leaf = LogLeaf.objects.get(case_id=case.pk, type="case_kept_longer")
    assert parse(bytes(leaf.data)).data == {"until": until.isoformat(), "reason": "COMPLAINT"}
    assert retention.destroy_due(now=NOW + timedelta(days=1095 + 400)) == 1


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"reason": "BECAUSE"}, "reason is 'BECAUSE'; allowed are COMPLAINT, COURT, AUTHORITY"),
        ({"until": date(2026, 4, 1)}, "until is 2026-04-01; it must be after 2029-03-01"),
    ],
)
def test_a_case_is_not_kept_longer_without_a_reason_or_a_later_day(change, sentence):
    case = ended(entered(), "REFUSED")
    given = {"until": date(2031, 1, 1), "reason": "COURT", **change}
    with pytest.raises(retention.NotKept, match=sentence):
        retention.keep_longer(case_id=case.pk, user=chief(), now=NOW, **given)


def test_an_open_case_and_a_destroyed_one_are_not_kept_longer_nor_by_just_anybody():
    case = entered()
    given: dict[str, Any] = {
        "case_id": case.pk,
        "until": date(2035, 1, 1),
        "reason": "COURT",
        "now": NOW,
    }
    with pytest.raises(retention.NotKept, match="is open; only closed cases"):
        retention.keep_longer(user=chief(), **given)
    ended(case, "REFUSED")
    with pytest.raises(NotAllowed):
        retention.keep_longer(user=member("Case officer"), **given)
    retention.destroy_due(now=LONG_AFTER)
    with pytest.raises(retention.NotKept, match="nothing is left to keep"):
        retention.keep_longer(user=chief(), **given)


def test_letters_that_were_not_sent_are_dropped_with_their_text():
    case = ended(filled(entered()), "REFUSED")
    assert Letter.objects.filter(request=case, state="TO_POST").exists()
    retention.destroy_due(now=LONG_AFTER)
    rows = Letter.objects.filter(request=case)
    assert {bytes(content) for content in rows.values_list("content", flat=True)} == {b""}
    assert not rows.filter(state__in=["WAITING", "TO_POST", "FAILED"]).exists()


def test_the_days_of_an_outcome_are_its_own_or_the_general_ones():
    own = {"REFUSED": 9}
    assert days_of("REFUSED", default=5, by_outcome=own) == 9
    assert days_of("ERASED", default=5, by_outcome=own) == 5
    assert days_of("EXPIRED", default=5, by_outcome=own) == 0
