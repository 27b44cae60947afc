"""Whether a version is claimed to be anonymous, and which attacks the claim must answer.

A model that was trained on personal data is not presumed anonymous (EDPB, Opinion 28/2024, 34 and
43). The register of attacks is what this platform has, and what it says that it never runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audits.core.attack_register import attack_titles
from audits.core.not_run import NEVER
from audits.models import Evidence

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import QuerySet

    from lineage.models import ModelVersion

NOT_CLAIMED, CLAIMED = "not_claimed", "claimed"
K = Evidence.Kind


def families() -> dict[str, str]:
    """Return what every attack of the register is called, by name.

    Those of this platform are read from their files, which are not imported: they need scipy.
    """
    return {**attack_titles(), **{one.attack: one.attack for one in NEVER}}


def evidence_about(version: ModelVersion) -> QuerySet[Evidence]:
    """Return the evidence that was measured on a version: as the result of an unlearning."""
    found = Evidence.objects.filter(run__unlearned=version, kind__in=[K.U_LIRA, K.POPULATION])
    return found.order_by("run", "look", "created_at")


def covered(evidence: Iterable[Evidence]) -> set[str]:
    """Return the names of the attacks that some evidence reports results of."""
    found: set[str] = set()
    for one in evidence:
        if one.kind == K.POPULATION and not one.payload.get("not_computed"):
            found.add("population")
        if one.kind == K.U_LIRA and "kept" in one.payload:
            found |= {"u_lira", *one.payload.get("attacks", {})}
    return found


def status_of(version: ModelVersion) -> str:
    """Return ``claimed`` or ``not_claimed``, which is the default."""
    return CLAIMED if hasattr(version, "anonymity") else NOT_CLAIMED
