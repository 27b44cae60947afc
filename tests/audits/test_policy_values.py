"""Policy values: stored by two people, read by everything, and never rewritten."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from audits import workflow
from audits.core.canonical import sha256, write_json
from audits.core.policy_keys import KEYS, PolicyValueRefused
from audits.execution.planning import policy
from audits.execution.rules_in_force import rules_in_force
from audits.models import LogLeaf, PolicyChange, RulesVersion
from audits.queries import policy_values
from audits.queries.certificates import turned_off
from audits.queries.policy_values import held, in_force, value_in_force
from audits.queries.rules import policy_version_of
from audits.services.accounts import add_member
from audits.services.policy_changes import PolicyChangeRefused
from audits.services.rights import NotAllowed, give_role
from audits.services.role_log import note_password, told
from audits.services.rules import note_rules
from audits.workflow import steps
from lineage.services.locking import lock_name
from tests.audits.world import member, verified_case

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def site(settings, tmp_path):
    settings.KEYS = tmp_path


@pytest.fixture
def first():
    return member("first", "Administrator")


@pytest.fixture
def second():
    return member("second", "Administrator")


def proposed(user, **said: str | None):
    return workflow.propose_policy(said=said, reason="the board said so", user=user)


def changed(first, second, **said: str | None):
    change = proposed(first, **said)
    return workflow.approve_policy(number=change.number, user=second)


def stored_elsewhere(first, second, **stored: int):
    """What another process approves meanwhile, of which this one is not told."""
    PolicyChange.objects.create(
        number=9,
        version=9,
        state="APPROVED",
        reason="r",
        digest="0" * 64,
        changes=stored,
        stored=stored,
        decided_by=second,
        proposed_by=first,
        proposed_at=timezone.now(),
        decided_at=timezone.now(),
    )


def logged():
    found = LogLeaf.objects.filter(type__startswith="policy_change_").order_by("index")
    return list(found.values_list("type", flat=True))


def test_a_value_holds_from_its_approval_on_and_not_before(first, second):
    change = proposed(first, CASE_DAYS="400", MARGIN_SUBJECT="0.2")
    assert (in_force("CASE_DAYS"), policy().margin_subject) == (1095, 0.30)
    workflow.approve_policy(number=change.number, user=second)
    assert (in_force("CASE_DAYS"), policy().margin_subject) == (400, 0.2)
    assert logged() == ["policy_change_proposed", "policy_change_approved"]


def test_a_value_goes_back_to_the_environment(first, second, settings):
    changed(first, second, CASE_DAYS="400", CONTACT="a@example.org")
    settings.EXPUNGE_CASE_DAYS = 500
    assert in_force("CASE_DAYS") == 400
    assert changed(first, second, CASE_DAYS=None).version == 2
    assert (in_force("CASE_DAYS"), in_force("CONTACT")) == (500, "a@example.org")


def test_a_request_has_one_policy_and_the_next_one_the_new(first, second):
    with held():
        assert in_force("MIN_BATCH") == 1
        changed(first, second, MIN_BATCH="5")
        assert in_force("MIN_BATCH") == 5  # approved within
    with held():
        in_force("MIN_BATCH")
        stored_elsewhere(first, second, MIN_BATCH=7)
        assert in_force("MIN_BATCH") == 5  # by another process
    assert in_force("MIN_BATCH") == 7


def test_a_step_of_a_case_ends_with_the_values_that_it_began_with(first, second, monkeypatch):
    seen = []

    def step(request, now):
        seen.append(in_force("MIN_BATCH"))
        if len(seen) == 1:
            stored_elsewhere(first, second, MIN_BATCH=7)
        seen.append(in_force("MIN_BATCH"))
        return len(seen) == 2

    monkeypatch.setitem(steps.STEPS, "VERIFIED", step)
    steps.advance(verified_case().pk)
    assert seen == [1, 1, 7, 7]


def test_a_held_policy_is_asked_for_once(django_assert_num_queries):
    with held(), django_assert_num_queries(1):
        policy()
        in_force("COUNTRY")


def test_nobody_approves_their_own_change_nor_does_the_database_let_them(first):
    change = proposed(first, CASE_DAYS="400")
    with pytest.raises(PolicyChangeRefused, match="Another administrator"):
        workflow.approve_policy(number=change.number, user=first)
    with pytest.raises(IntegrityError), transaction.atomic():
        PolicyChange.objects.update(state="APPROVED", version=1, decided_by=first)


def test_nobody_approves_with_an_account_made_or_taken_over_since_the_proposal(first, second):
    change = proposed(first, CASE_DAYS="400")
    now = timezone.now()
    made, _ = add_member(name="made", roles=["Administrator"], now=now, email="m@example.org")
    note_password(second, by=first, now=now)
    for puppet in (made, second):
        with pytest.raises(PolicyChangeRefused, match="After change 1 was proposed, your account"):
            workflow.approve_policy(number=change.number, user=puppet)
    workflow.withdraw_policy(number=change.number, user=first)
    third = member("third", "Administrator")
    change = proposed(first, CASE_DAYS="400")
    with told(third, now=timezone.now()):
        give_role(user=third, role="Auditor")
    note_password(third, by=third, now=timezone.now())
    assert workflow.approve_policy(number=change.number, user=third).version == 1


@pytest.mark.parametrize("role", ["Auditor", "Reviewer", "Case officer"])
def test_only_administrators_take_part(role, first):
    other = member("other", role)
    with pytest.raises(NotAllowed):
        proposed(other, CASE_DAYS="400")
    change = proposed(first, CASE_DAYS="400")
    with pytest.raises(NotAllowed):
        workflow.approve_policy(number=change.number, user=other)


def test_one_change_waits_at_a_time_until_it_is_withdrawn_or_sent_back(first, second):
    one = proposed(first, CASE_DAYS="400")
    with pytest.raises(PolicyChangeRefused, match="Change 1 waits"):
        proposed(second, MIN_BATCH="5")
    with pytest.raises(PolicyChangeRefused, match="Somebody else proposed"):
        workflow.withdraw_policy(number=one.number, user=second)
    workflow.withdraw_policy(number=one.number, user=first)
    two = proposed(first, CASE_DAYS="500")
    workflow.return_policy(number=two.number, note="too long", user=second)
    with pytest.raises(PolicyChangeRefused, match="does not wait"):
        workflow.approve_policy(number=two.number, user=second)
    assert in_force("CASE_DAYS") == 1095


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"CASE_DAYS": "3"}, "CASE_DAYS is '3'; it must be a whole number from 30"),
        ({"SECRET_KEY": "x"}, "'SECRET_KEY' is not a policy value"),
        ({"CASE_DAYS": "1095"}, "Nothing would change"),
        ({"LOOKS": "16,32"}, "Nothing would change"),
        ({"CASE_DAYS": None}, "Nothing would change"),
        ({"COALESCE_DAYS": "40"}, "would wait for others until it is late"),
        ({"SHADOW_DAYS": "5"}, "destroyed before a verdict"),
        ({"LOOKS": "16, 64"}, "max_trainings is 64"),
        ({"REGION": "BY"}, "the regions of FR are"),
        ({"ACCEPT_EPSILON": "1", "MINIMUM": "BIT_EXACT"}, "differential privacy does not reach"),
    ],
)
def test_what_is_not_allowed_is_refused_with_a_sentence(said, sentence, first):
    with pytest.raises((PolicyValueRefused, PolicyChangeRefused), match=sentence):
        proposed(first, **said)
    assert not PolicyChange.objects.exists()


def test_a_locked_key_is_the_environments_whatever_is_stored(first, second, settings):
    changed(first, second, CASE_DAYS="400", MIN_BATCH="5")
    settings.EXPUNGE_LOCKED = ["CASE_DAYS"]
    assert (in_force("CASE_DAYS"), in_force("MIN_BATCH")) == (1095, 5)
    with pytest.raises(PolicyValueRefused, match="fixed by EXPUNGE_LOCKED"):
        proposed(first, CASE_DAYS="600")


def test_the_change_becomes_a_version_of_the_rules_and_an_open_case_keeps_its_own(first, second):
    note_rules(rules=rules_in_force, now=timezone.now())
    case = verified_case()
    case.policy, case.accepted_at = policy().as_dict(), timezone.now()
    case.save()
    changed(first, second, MARGIN_SUBJECT="0.2")
    newest = RulesVersion.objects.filter(kind="POLICY").latest("number")
    assert (newest.number, newest.content["margin_subject"]) == (2, 0.2)
    kept = policy_version_of(case)
    assert kept is not None
    assert kept.number == 1
    assert newest.digest == policy().digest()


def test_an_approval_while_the_rules_are_noted_is_not_undone(first, second, monkeypatch):
    change = proposed(first, MARGIN_SUBJECT="0.2")

    def approved_first(name):
        monkeypatch.setattr("audits.services.rules.lock_name", lock_name)
        workflow.approve_policy(number=change.number, user=second)
        lock_name(name)

    monkeypatch.setattr("audits.services.rules.lock_name", approved_first)
    with held():
        assert in_force("CASE_DAYS") == 1095
        assert note_rules(rules=rules_in_force, now=timezone.now()) == []
    newest = RulesVersion.objects.filter(kind="POLICY").latest("number")
    assert (newest.number, newest.digest) == (1, policy().digest())


def test_the_log_holds_codes_and_digests_alone(first, second):
    changed(first, second, DPO="Ada, dpo@example.org")
    leaves = b"".join(bytes(leaf.data) for leaf in LogLeaf.objects.all())
    assert b"DPO" in leaves
    assert b"dpo@example.org" not in leaves
    stored = PolicyChange.objects.get()
    assert stored.digest == sha256(write_json({"DPO": "Ada, dpo@example.org"}))
    assert stored.digest.encode() in leaves


def test_what_was_proposed_or_decided_cannot_be_rewritten(first, second):
    change = proposed(first, CASE_DAYS="400")
    with pytest.raises(IntegrityError, match="keeps what was proposed"), transaction.atomic():
        PolicyChange.objects.update(stored={"CASE_DAYS": 30})
    workflow.approve_policy(number=change.number, user=second)
    with pytest.raises(IntegrityError, match="keeps what was proposed"), transaction.atomic():
        PolicyChange.objects.update(note="x")
    with pytest.raises(IntegrityError, match="keeps what was proposed"), transaction.atomic():
        PolicyChange.objects.all()._raw_delete("default")


def test_what_is_turned_off_names_the_page_where_a_stored_value_says_so(first, second, settings):
    settings.EXPUNGE_CERTIFICATE_DAYS = 0
    assert turned_off().endswith(": EXPUNGE_CERTIFICATE_DAYS is 0.")
    settings.EXPUNGE_CERTIFICATE_DAYS = 30
    changed(first, second, CERTIFICATE_DAYS="0")
    assert turned_off().endswith(": CERTIFICATE_DAYS on the page Policy is 0.")


def test_every_key_reads_what_it_writes_of_its_value_in_the_environment(settings):
    settings.EXPUNGE_CASE_DAYS_BY_OUTCOME = {"ERASED": 400}
    settings.EXPUNGE_HOLIDAYS = ["2027-01-02"]
    for key in KEYS.values():
        value = policy_values.environment_value(key)
        text = key.kind.write(value)
        assert key.read(text) == (list(value) if isinstance(value, tuple) else value), key.name
        assert value_in_force(key) == value
