"""Registers of attacks, rules and keys: what stands in them, for which period, and no people."""

from __future__ import annotations

import csv
import json
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audits import keys
from audits.core.attack import Attack, CanaryAttack, ModelComparison, RecordAttack
from audits.core.attack_register import known_attacks
from audits.core.canonical import sha256
from audits.core.events import parse
from audits.core.kinds import of_kind
from audits.core.not_run import AVAILABLE, NEVER
from audits.core.policy import USUAL_ATTACKS, EvidencePolicy
from audits.execution.rules_in_force import rules_in_force
from audits.models import ErasureRequest, Evidence, LogLeaf, RulesVersion
from audits.queries.attack_register import EXACT, NO_AUDIT, attack_register
from audits.queries.register_tables import AT_ONCE, REGISTERS, as_csv, as_json
from audits.queries.rules import cases_under, policy_version_of, rules_kept, rules_of
from audits.services.rules import note_rules
from audits.workflow import tasks
from tests.audits import world as worlds
from tests.audits.world import ADA, BERT, CLEO, NOW, member, queued_run

DAY = timedelta(days=1)


def test_the_register_says_of_an_attack_what_its_class_says():
    asks = {"records": RecordAttack, "canaries": CanaryAttack, "models": ModelComparison}
    found = {one.name: one for one in known_attacks() if one.name}
    classes = of_kind(Attack)
    assert found.keys() == classes.keys()
    for name, one in found.items():
        cls = classes[name]
        assert (one.title, one.paper) == (cls.title, cls.paper)
        assert one.assumes.startswith(f"The adversary: {cls.adversary}.")
        assert issubclass(cls, asks[one.asks])
        assert len(one.version) == 64
    assert [(one.title, one.never) for one in known_attacks() if not one.name] == [
        (one.attack, one.reason) for one in NEVER
    ]


def logged(kind: str):
    leaves = LogLeaf.objects.filter(type=kind).order_by("index")
    return [dict(parse(bytes(one.data)).data) for one in leaves]


def evidence_of(run, kind, at, payload, **fields: int):
    Evidence.objects.create(
        run=run, kind=kind, payload=payload, digest="0" * 64, created_at=at, **fields
    )


def test_an_attack_is_counted_where_it_was_run_and_has_a_reason_where_it_was_not(db, signing_key):
    runs = [queued_run(worlds.verified_case(who)) for who in (ADA, BERT, CLEO)]
    rows = {one.attack.name or one.attack.title: one for one in attack_register()}
    assert rows["u_lira"].words == NO_AUDIT
    evidence_of(runs[2], "CONSTRUCTION", NOW, {})
    assert {one.words for one in attack_register() if one.attack.name} == {EXACT}
    look = {
        "kept": {},
        "attacks": {"neighbourhood": {}},
        "not_made": {"LiRA, offline": "It has no models."},
        "comparisons": [{"attack": "klom", "title": "KLoM"}],
        "not_run": [{"attack": of_kind(Attack)["rmia"].title, "reason": AVAILABLE}],
    }
    evidence_of(runs[0], "U_LIRA", NOW, look)
    evidence_of(runs[0], "U_LIRA", NOW + DAY, look, look=1)
    evidence_of(runs[1], "U_LIRA", NOW + 9 * DAY, look)
    evidence_of(runs[1], "POPULATION", NOW, {"not_computed": "Too few records."})
    evidence_of(runs[1], "CANARIES", NOW, {"findings": {"gaussian_poison": {}}, "not_made": {}})
    day = NOW.date()
    for since, until, results in ((None, None, 3), (day, day, 1), (day + DAY, None, 2)):
        found = {one.attack.name: one for one in attack_register(since=since, until=until)}
        assert {found[name].results for name in ("u_lira", "neighbourhood", "klom")} == {results}
    found = {one.attack.name or one.attack.title: one for one in attack_register()}
    assert (found["u_lira"].runs, found["u_lira"].words) == (2, "")
    assert (found["gaussian_poison"].runs, found["population"].runs) == (1, 0)
    assert found["population"].words == "Too few records."
    assert found["rmia"].words == f"{AVAILABLE} (3 times)"
    never = found[NEVER[0].attack]
    assert (never.results, never.words) == (0, NEVER[0].reason)


def test_rules_have_a_number_and_a_change_is_an_event_with_both_digests(db, signing_key, settings):
    assert {one.number for one in note_rules(rules=rules_in_force, now=NOW)} == {1}
    assert note_rules(rules=rules_in_force, now=NOW + DAY) == []
    assert {one["rules"] for one in logged("rules_begun")} == set(RulesVersion.Kind.values)
    settings.EXPUNGE_POLICY = {"margin_record": 0.02}
    (changed,) = note_rules(rules=rules_in_force, now=NOW + 2 * DAY)
    plain = EvidencePolicy(attacks=USUAL_ATTACKS).digest()
    narrow = EvidencePolicy(attacks=USUAL_ATTACKS, margin_record=0.02).digest()
    assert logged("policy_changed") == [
        {"rules": "POLICY", "number": 2, "old": plain, "new": narrow}
    ]
    assert changed.digest == narrow
    settings.EXPUNGE_SECOND_PERSON = "NEVER"
    tasks.sweep()
    assert [one["rules"] for one in logged("policy_changed")] == ["POLICY", "ROLES"]
    periods = {(one.rules.kind, one.rules.number): one.until for one in rules_kept()}
    assert (periods["POLICY", 1], periods["POLICY", 2]) == (NOW + 2 * DAY, None)


def decided(who, at, **policy: Any):  # noqa: ANN401  (whatever a policy takes)
    case = worlds.verified_case(who)
    fixed = EvidencePolicy(attacks=USUAL_ATTACKS, **policy).as_dict() if policy else {}
    ErasureRequest.objects.filter(pk=case.pk).update(accepted_at=at, policy=fixed)
    return ErasureRequest.objects.get(pk=case.pk)


def test_a_case_names_the_rules_that_it_was_decided_under(db, signing_key, settings):
    for day, margin in enumerate((0.02, 0.03, 0.02)):
        settings.EXPUNGE_POLICY = {"margin_record": margin}
        note_rules(rules=rules_in_force, now=NOW + day * DAY)
    hour = timedelta(hours=1)
    first = decided(ADA, NOW + hour, margin_record=0.02)
    planned_later = decided(BERT, NOW + hour, margin_record=0.03)
    last = decided(CLEO, NOW + 3 * DAY, margin_record=0.02)
    unknown = decided("dora@example.org", NOW - DAY, margin_record=0.5)
    none = decided("emil@example.org", NOW + DAY)
    numbers = [
        found.number if (found := policy_version_of(one)) else None
        for one in (first, planned_later, last, unknown, none)
    ]
    assert numbers == [1, 2, 3, None, None]
    assert rules_of(unknown) == {}
    assert "POLICY" not in rules_of(none)
    assert rules_of(none)["WORKFLOW"].number == 1
    under = {
        (rules.kind, rules.number): cases for rules, cases in cases_under(rules_kept()).items()
    }
    assert under["POLICY", 2] == [planned_later.reference]
    assert len(under["WORKFLOW", 1]) == 4


def test_every_register_is_a_page_and_two_files_and_a_command_and_names_nobody(db, signing_key):
    keys.init()
    decided(ADA, timezone.now(), margin_record=0.02)
    note_rules(rules=rules_in_force, now=datetime(2026, 1, 1, tzinfo=UTC))
    client = Client()
    client.force_login(member("Auditor", "Auditor"))
    front = client.get(reverse("audits:register_list")).content.decode()
    for name, register in REGISTERS.items():
        address = reverse("audits:register", args=[name])
        assert address in front
        shown = client.get(address)
        assert shown.status_code == 200
        files = [reverse("audits:register_file", args=[name, form]) for form in ("csv", "json")]
        table, listed = (client.get(one).getvalue().decode() for one in files)
        rows = json.loads(listed)
        assert [list(row) for row in rows] == [list(register.columns)] * len(rows)
        assert len(list(csv.DictReader(StringIO(table)))) == len(rows) > 0
        out = StringIO()
        call_command("registers", name, stdout=out)
        assert out.getvalue() == table
        assert ADA not in table + shown.content.decode()


def test_a_long_register_is_written_in_parts_that_are_one_file():
    rows = [{"a": str(number), "b": "=é\n"} for number in range(2 * AT_ONCE + 1)]
    parts = list(as_json(iter(rows)))
    assert len(parts) > 2
    assert "".join(parts) == json.dumps(rows, indent=2, ensure_ascii=False)
    assert "".join(as_json([])) == "[]"
    table = "".join(as_csv(("a", "b"), iter(rows)))
    assert [one["a"] for one in csv.DictReader(StringIO(table))] == [one["a"] for one in rows]


def test_the_files_of_registers_keep_to_the_period_and_show_no_private_key(db, signing_key):
    keys.init()
    case = decided(ADA, timezone.now(), margin_record=0.02)
    note_rules(rules=rules_in_force, now=datetime(2026, 1, 1, tzinfo=UTC))
    client = Client()
    client.force_login(member("Auditor", "Auditor"))
    listed = json.loads(client.get("/registers/keys.json").getvalue())
    pem = (keys.path_of("model").parent / "model.pub").read_bytes()
    assert listed[-1]["key"] == f"SHA-256 of the PEM: {sha256(pem)}"
    assert case.reference in client.get("/registers/cases/").content.decode()
    later = (timezone.now() + 9 * DAY).date().isoformat()
    assert case.reference not in client.get(f"/registers/cases/?since={later}").content.decode()
    early = client.get(f"/registers/rules.json?until={date(2025, 1, 1)}")
    assert json.loads(early.getvalue()) == []
    refused = client.get("/registers/attacks/?since=soon")
    assert (refused.status_code, b"since is" in refused.content) == (400, True)
    assert client.get("/registers/attacks.csv?since=soon").status_code == 400
    assert client.get("/registers/nothing/").status_code == 404
    assert client.get("/registers/attacks.pdf").status_code == 404
    with pytest.raises(CommandError, match="since is"):
        call_command("registers", "attacks", "--since", "soon")
