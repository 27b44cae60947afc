"""A version is claimed to be anonymous only if every known attack is answered."""

from __future__ import annotations

import pytest

from audits.core.attack import Attack
from audits.core.kinds import of_kind
from audits.core.not_run import NEVER
from audits.models import AnonymityClaim, LogLeaf
from audits.queries.anonymity import covered, evidence_about, families, status_of
from audits.services import anonymity
from audits.services.anonymity import ClaimRefused
from audits.services.rights import NotAllowed
from lineage.models import ModelVersion
from tests.audits.clock_cases import member
from tests.audits.views import worlds
from tests.audits.world import NOW

pytestmark = pytest.mark.django_db
WHY = "The model answers with a label alone, at most ten times a day."


@pytest.fixture
def audited(signing_key):
    """A version on which U-LiRA and the population attack were run."""
    worlds.judged(worlds.u_lira(), worlds.population())
    return ModelVersion.objects.get(model_name="faces", version=2)


@pytest.fixture
def operator(audited):
    return member("Model operator")


def answered(*without: str):
    return {name: WHY for name in families() if name not in without}


def claim(version, user, reasons):
    evidence = [one.pk for one in evidence_about(version)]
    return anonymity.claim(version=version, evidence=evidence, reasons=reasons, user=user, now=NOW)


def test_M1_nothing_is_claimed_by_default_and_every_known_attack_is_in_the_register(audited):
    assert status_of(audited) == "not_claimed"
    assert set(families()) == {*of_kind(Attack), *(one.attack for one in NEVER)}


def test_M1_a_claim_needs_evidence_or_a_reason_for_every_attack(audited, operator):
    assert covered(evidence_about(audited)) == {"u_lira", "population"}
    with pytest.raises(ClaimRefused, match=r"answers 1 attacks: Label-only attacks\."):
        claim(audited, operator, answered("u_lira", "population", "Label-only attacks"))
    made = claim(audited, operator, answered("u_lira", "population"))
    assert made.evidence.count() == 2
    assert status_of(ModelVersion.objects.get(pk=audited.pk)) == "claimed"
    assert anonymity.drop(version=audited, user=operator, now=NOW)
    assert not anonymity.drop(version=audited, user=operator, now=NOW)
    kinds = LogLeaf.objects.filter(type__startswith="anonymity").order_by("index")
    assert list(kinds.values_list("type", flat=True)) == [
        "anonymity_claimed",
        "anonymity_claim_dropped",
    ]


def test_M1_evidence_on_another_version_answers_nothing(audited, operator):
    other = ModelVersion.objects.get(model_name="faces", version=1)
    evidence = [one.pk for one in evidence_about(audited)]
    with pytest.raises(ClaimRefused, match="2 pieces of evidence are not about faces v1"):
        anonymity.claim(
            version=other, evidence=evidence, reasons=answered(), user=operator, now=NOW
        )


@pytest.mark.parametrize(
    ("reasons", "said"),
    [
        ({"magic": WHY}, "reasons has magic, which the register does not know"),
        ({"rmia": "no"}, "The reasons for rmia have less than 20 characters"),
    ],
)
def test_a_reason_names_a_known_attack_and_says_something(audited, operator, reasons, said):
    with pytest.raises(ClaimRefused, match=said):
        claim(audited, operator, {**answered(), **reasons})
    with pytest.raises(NotAllowed):
        claim(audited, member("Auditor"), answered())
    assert not AnonymityClaim.objects.exists()
