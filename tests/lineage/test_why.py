"""Why about a version that no list of affected ones names."""

from __future__ import annotations

import json
import uuid

import pytest
from django.core.management import call_command

from lineage.services.versions import destroy_version
from tests.lineage.builders import data, filled, snapshot, trained

pytestmark = pytest.mark.django_db


def asked(records, capsys):
    call_command("lineage", "why", "m v1", "--records", records, "--json")
    answer = json.loads(capsys.readouterr().out)
    call_command("lineage", "why", "m v1", "--records", records)
    return answer, capsys.readouterr().out


@pytest.fixture(params=["MODEL", "SHADOW"])
def version(request, now):
    """A destroyed version, and a shadow model, that learned from record 0 alone."""
    taken = snapshot(filled("faces", 2, now), now, [0])
    made = trained("m", now, data(taken), kind=request.param)
    if request.param == "MODEL":
        destroy_version(version=made, by_case=uuid.UUID(int=1), now=now)
    return made


def test_it_is_answered_and_says_what_it_is(version, capsys):
    said = {"MODEL": "m v1 (destroyed)", "SHADOW": "m v1 (shadow model)"}[version.kind]
    for records, affected, sentence in (
        ("faces:0", True, "learned from 1 of the records"),
        ("faces:1", False, "did not learn from these records"),
    ):
        answer, shown = asked(records, capsys)
        assert (answer["affected"], answer["kind"]) == (affected, version.kind)
        assert f"{said} {sentence}" in shown


def test_it_is_not_known_where_its_membership_was_not_captured(now, capsys):
    taken = snapshot(filled("faces", 2, now), now, [0])
    made = trained("m", now, data(taken), kind="SHADOW", capture_level="NONE")
    answer, _ = asked("faces:1", capsys)
    assert (answer["affected"], answer["version"]) == (None, str(made.id))


def test_the_lists_stay_without_it(version, capsys):
    call_command("lineage", "affected", "--records", "faces:0", "--json")
    answer = json.loads(capsys.readouterr().out)
    assert (answer["affected"], answer["not_affected"]) == ([], 0)
