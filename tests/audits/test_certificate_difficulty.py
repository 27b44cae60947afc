"""A certificate covers records that are no harder in any tenth, from issue to reliance."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from audits.execution import certified
from audits.models import AuditPlan, Evidence, ProcedureCertificate, ShadowResult
from audits.services import certificates
from tests.audits.certificate_worlds import POLICY, prepared, pretend
from tests.audits.world import ADA, BERT, runs

pytestmark = pytest.mark.django_db
EVEN, TAIL = (5,) * 9, (1, 1, 1, 1, 5, 6, 6, 6, 7)


@pytest.fixture
def hardness(world, approximate, settings, monkeypatch):
    """A version on which every pool passes; call it to say how hard the next records are."""
    settings.EXPUNGE_POLICY = POLICY
    pretend(monkeypatch)
    monkeypatch.setattr(certified, "decile", lambda *_: 5)
    monkeypatch.setattr(
        "audits.services.closing.purge_shadows", lambda **_: ShadowResult.objects.all().delete()
    )
    prepared(world)
    return lambda found: monkeypatch.setattr(certified, "profile", lambda *_: found)


def certificate_told(world, email):
    (row,) = runs(world.erased(email))[0].evidence.filter(kind=Evidence.Kind.U_LIRA)
    return row.payload["certificate"]


def test_a_harder_tail_sets_the_certificate_aside(world, hardness):
    hardness(EVEN)
    assert certificate_told(world, ADA)["profile"] == list(EVEN)
    hardness(TAIL)
    told = certificate_told(world, BERT)
    assert "90% are in decile 7 of difficulty or easier" in told["reason"]
    assert (told["relied_on"], told["profile"]) == (None, list(TAIL))
    assert list(ProcedureCertificate.objects.order_by("issued_at").values_list("profile")) == [
        (list(EVEN),),
        (list(TAIL),),
    ]


def test_an_easier_profile_relies_on_it(world, hardness):
    hardness(EVEN)
    certificate_told(world, ADA)
    hardness((1, 1, 1, 1, 5, 5, 5, 6, 6))
    told, issued = certificate_told(world, BERT), ProcedureCertificate.objects.get()
    assert told["relied_on"] == str(issued.pk)
    assert issued.stated().digest() == issued.digest
    assert (told["certified_profile"], told["profile"][8]) == (list(EVEN), 6)


def test_one_that_an_earlier_release_issued_still_stands(world, hardness, monkeypatch):
    hardness(EVEN)

    def noted(*, run_id, difficulty, **_: object):
        AuditPlan.objects.filter(pk=run_id).update(difficulty=difficulty)

    with monkeypatch.context() as earlier:
        earlier.setattr(certificates, "note_difficulty", noted)
        assert "profile" not in certificate_told(world, ADA)
    issued = ProcedureCertificate.objects.get()
    assert issued.profile is None
    hardness(TAIL)
    told = certificate_told(world, BERT)
    assert told["relied_on"] == str(issued.pk)
    assert "certified_profile" not in told


def test_a_profile_cannot_be_changed_afterwards(world, hardness):
    hardness(EVEN)
    certificate_told(world, ADA)
    with pytest.raises(IntegrityError, match="is append-only"), transaction.atomic():
        ProcedureCertificate.objects.update(profile=[10] * 9)
