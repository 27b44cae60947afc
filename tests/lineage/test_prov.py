"""The PROV export is read by the library that knows the standard, and says what is stored."""

from __future__ import annotations

import json
import re
import uuid

import pytest
from django.core.management import CommandError, call_command
from prov.model import ProvDocument
from pyroaring import BitMap

from lineage.models import LineageEdge, Role
from lineage.services.purge import erase_records
from lineage.services.versions import destroy_version
from tests.lineage.builders import base, data, filled, snapshot, trained

pytestmark = pytest.mark.django_db


@pytest.fixture
def document(now, capsys):
    dataset = filled("faces", 4, now)
    first = trained("base", now, data(snapshot(dataset, now)), procedure="nightly")
    trained("tuned", now, base(first), data(snapshot(dataset, now, [1]), Role.VALIDATION))
    erase_records(case_id=first.id, space=dataset.space, ordinals=BitMap([0]), now=now)
    destroy_version(version=first, by_case=first.id, now=now)
    call_command("export_prov")
    return capsys.readouterr().out


def statements(document, kind):
    parsed = ProvDocument.deserialize(content=document, format="json")
    return [one for one in parsed.get_records() if type(one).__name__ == kind]


def test_M10_the_prov_package_reads_every_kind_of_statement(document):
    count = {
        kind: len(statements(document, kind))
        for kind in ("ProvActivity", "ProvUsage", "ProvGeneration", "ProvInvalidation")
    }
    assert count == {
        "ProvActivity": 3,
        "ProvUsage": 3,
        "ProvGeneration": 2,
        "ProvInvalidation": 2,  # the version and the record
    }
    assert len(statements(document, "ProvDerivation")) == LineageEdge.objects.count() == 3
    assert len(statements(document, "ProvAssociation")) == 1


def test_a_use_names_its_role_and_a_collection_its_size(document):
    read = json.loads(document)
    roles = sorted(used["prov:role"] for used in read["used"].values())
    assert roles == ["expunge:BASE_MODEL", "expunge:TRAINING", "expunge:VALIDATION"]
    collections = [one for one in read["entity"].values() if "expunge:digest" in one]
    assert [one["expunge:recordCount"] for one in collections] == [4, 1]


def test_records_are_members_on_request(now, tmp_path):
    filled_with = filled("faces", 3, now)
    snapshot(filled_with, now, [0, 2])
    path = tmp_path / "prov.json"
    call_command("export_prov", "--records", out=path)
    members = statements(path.read_text(), "ProvMembership")
    assert len(members) == 2


def test_an_erased_record_was_invalidated_by_each_case_that_erased_it(now, capsys):
    dataset = filled("faces", 4, now)
    space, cases = dataset.space, [uuid.uuid4(), uuid.uuid4()]
    erase_records(case_id=cases[0], space=space, ordinals=BitMap([0, 2]), now=now)
    erase_records(case_id=cases[1], space=space, ordinals=BitMap([2]), now=now)
    call_command("export_prov")
    ended = {
        (str(one.args[0]), str(one.args[1]), one.args[2])
        for one in statements(capsys.readouterr().out, "ProvInvalidation")
    }
    assert ended == {
        (f"expunge:record/{space.public_id}/{ordinal}", f"expunge:erasure/{case}", now)
        for ordinal, case in [(0, cases[0]), (2, cases[0]), (2, cases[1])]
    }


def test_whatever_an_invalidation_names_is_in_the_document(document):
    read = json.loads(document)
    for one in read["wasInvalidatedBy"].values():
        assert one["prov:entity"] in read["entity"]
        assert one["prov:activity"] in read["activity"]


def test_no_primary_key_names_a_plan_and_every_run_of_it_names_the_same(now, capsys):
    taken = snapshot(filled("faces", 1, now), now)
    for _ in range(2):
        trained("m", now, data(taken), procedure="nightly")
    call_command("export_prov")
    read = json.loads(capsys.readouterr().out)
    (plan,) = {one["prov:plan"] for one in read["wasAssociatedWith"].values()}
    assert read["entity"][plan]["prov:label"] == "default/nightly"
    assert uuid.UUID(plan.removeprefix("expunge:procedure/")).version == 5
    named = [name for part, found in read.items() if part != "prefix" for name in found]
    assert not [name for name in named if re.search(r"[/-]\d{1,9}$", name)]


def test_no_person_is_in_it(document):
    assert not re.search(r"example|photo-|person\d", document)


def test_a_file_that_cannot_be_written_is_named(db, tmp_path):
    with pytest.raises(CommandError, match="cannot be written: No such file"):
        call_command("export_prov", out=tmp_path / "none" / "prov.json")
