"""Columns that only the key of their case opens."""

from __future__ import annotations

from importlib import import_module
from types import SimpleNamespace
from uuid import uuid4

import pytest
from django.core.exceptions import FieldError

from audits.models import ErasureRequest, PersonalDetails
from audits.models.case_secrets import NotReadable
from audits.services.requests import receive_request
from lineage import keys
from tests.audits.world import ADA, NOW

pytestmark = [pytest.mark.django_db, pytest.mark.database, pytest.mark.usefixtures("signing_key")]


@pytest.fixture
def case():
    return receive_request(email=ADA, channel="FORM", now=NOW).request


def stored(case) -> bytes:
    return bytes(ErasureRequest.objects.filter(pk=case.pk).values_list("email", flat=True)[0])


def test_a_value_is_read_as_it_was_written_also_when_its_column_was_left_out(case):
    assert ErasureRequest.objects.get(pk=case.pk).email == ADA
    assert ErasureRequest.objects.only("reference").get(pk=case.pk).email == ADA
    case.refresh_from_db()
    assert case.email == ADA
    assert ADA.encode() not in stored(case)


def test_an_empty_value_is_empty_in_the_column_and_can_be_sought(case):
    case.email = ""
    case.save(update_fields=["email"])
    assert stored(case) == b""
    assert ErasureRequest.objects.filter(email="").get() == case
    assert not ErasureRequest.objects.exclude(email="").exists()


def test_nothing_else_can_be_sought_or_written_past_the_instance(case):
    with pytest.raises(FieldError, match="email is sealed with the key of its case"):
        ErasureRequest.objects.filter(email=ADA).exists()
    with pytest.raises(FieldError, match="set it on the instance and save"):
        ErasureRequest.objects.update(email=ADA)


def test_bytes_of_another_case_or_column_do_not_open(case):
    other = receive_request(email="bert@example.org", channel="FORM", now=NOW).request
    details = PersonalDetails.objects.create(request=case, description="saw it")
    ErasureRequest.objects.filter(pk=other.pk).update(email=stored(case))
    PersonalDetails.objects.filter(pk=details.pk).update(agent_name=stored(case))
    for row, column in ((other, "email"), (details, "agent_name")):
        again = type(row).objects.get(pk=row.pk)
        with pytest.raises(NotReadable, match="altered, or belongs to another case"):
            getattr(again, column)


def test_a_key_that_is_lost_is_not_taken_for_one_that_was_destroyed(case):
    keys.forget([f"case:{case.pk}"])
    with pytest.raises(NotReadable, match="There is no key"):
        _ = ErasureRequest.objects.get(pk=case.pk).email
    keys.destroy(f"case:{case.pk}")
    assert ErasureRequest.objects.get(pk=case.pk).email == ""


def test_the_migration_seals_what_stood_in_the_clear_and_opens_it_again_while_there_is_a_key():
    migration = import_module("audits.migrations.0024_sealed_identity")
    empty = dict.fromkeys(migration.DETAILS, "") | {"identifiers": [["EXTERNAL", "4711"]]}
    rows = {
        "ErasureRequest": SimpleNamespace(pk=uuid4(), email=ADA, email_sealed=b""),
        "PersonalDetails": SimpleNamespace(
            pk=uuid4(), **empty, **{f"{name}_sealed": b"" for name in empty}
        ),
    }
    for row in rows.values():
        row.save = lambda update_fields: None  # noqa: ARG005  (Django's name)
    apps = SimpleNamespace(
        get_model=lambda _app, name: SimpleNamespace(
            objects=SimpleNamespace(using=lambda _: SimpleNamespace(all=lambda: [rows[name]]))
        )
    )
    editor = SimpleNamespace(connection=SimpleNamespace(alias="default"))
    request, details = rows["ErasureRequest"], rows["PersonalDetails"]
    migration.seal(apps, editor)
    assert (ADA.encode() in request.email_sealed, bool(request.email_sealed)) == (False, True)
    assert details.description_sealed == b""
    request.email, details.identifiers = "", []
    migration.unseal(apps, editor)
    assert (request.email, details.identifiers) == (ADA, [["EXTERNAL", "4711"]])
    keys.destroy(f"case:{request.pk}")
    request.email = ""
    migration.unseal(apps, editor)
    assert request.email == ""
