"""Which rules were in force, from when until when, and which cases were decided under them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Q

from audits.core.policy import EvidencePolicy
from audits.models import ErasureRequest, RulesVersion

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

POLICY = RulesVersion.Kind.POLICY


@dataclass(frozen=True, kw_only=True)
class InForce:
    """A version of rules with the moment at which the next one came; None: it is in force."""

    rules: RulesVersion
    until: datetime | None

    def at(self, moment: datetime) -> bool:
        """Return whether it was in force at a moment."""
        return self.rules.since <= moment and self.after(moment)

    def after(self, moment: datetime) -> bool:
        """Return whether it was in force at some time after a moment."""
        return self.until is None or moment < self.until


def newest_rules() -> dict[str, RulesVersion]:
    """Return the newest version of each kind."""
    return {one.kind: one for one in RulesVersion.objects.order_by("number")}


def rules_kept() -> list[InForce]:
    """Return every version with its period, by kind, the newest first."""
    ends: dict[str, datetime] = {}
    found = []
    for one in RulesVersion.objects.order_by("kind", "-number"):
        found.append(InForce(rules=one, until=ends.get(one.kind)))
        ends[one.kind] = one.since
    return found


def policy_version_of(
    case: ErasureRequest, kept: Sequence[InForce] | None = None
) -> RulesVersion | None:
    """Return the version of the policy of evidence that was fixed for a case.

    None where none was fixed, as nothing was planned, or where it is older than the register. The
    policy is fixed some time after the decision: it may have begun since. ``kept`` saves asking.
    """
    if not case.policy:
        return None
    digest, moment = EvidencePolicy.from_dict(case.policy).digest(), decided_at(case)
    alike = [
        one.rules
        for one in (rules_kept() if kept is None else kept)
        if one.rules.kind == POLICY and one.rules.digest == digest and one.after(moment)
    ]
    return min(alike, key=lambda one: one.number, default=None)


def rules_of(
    case: ErasureRequest, kept: Sequence[InForce] | None = None
) -> dict[str, RulesVersion]:
    """Return the rules that a case was decided under, by kind.

    They are the policy that was fixed for it, and of the other kinds what was in force when it was
    decided. A kind of which the register had nothing yet is not there.
    """
    known, moment = rules_kept() if kept is None else kept, decided_at(case)
    found = {
        one.rules.kind: one.rules for one in known if one.rules.kind != POLICY and one.at(moment)
    }
    fixed = policy_version_of(case, known)
    return {**found, POLICY: fixed} if fixed else found


def decided_at(case: ErasureRequest) -> datetime:
    """Return when a case was accepted; else when it was sealed, or came."""
    return case.accepted_at or case.sealed_at or case.received_at


def cases_under(kept: Sequence[InForce]) -> dict[RulesVersion, list[str]]:
    """Return the references of the cases that were decided under each version, in order."""
    under: dict[RulesVersion, list[str]] = {one.rules: [] for one in kept}
    decided = Q(accepted_at__isnull=False) | Q(sealed_at__isnull=False)
    for case in ErasureRequest.objects.filter(decided).order_by("reference").iterator():
        for rules in rules_of(case, kept).values():
            under[rules].append(case.reference)
    return under
