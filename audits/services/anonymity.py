"""Claim that a version is anonymous: refused unless every known attack is answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from audits.core.roles import Right
from audits.models import AnonymityClaim
from audits.queries.anonymity import covered, evidence_about, families
from audits.services import log
from audits.services.requests import actor_of
from audits.services.rights import require
from lineage.core.worded import worded, worded_of
from lineage.models import ModelVersion

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime
    from uuid import UUID

    from django.contrib.auth.models import User

LEAST_REASON = 20


class ClaimRefused(ValueError):
    """The version may not be claimed to be anonymous; the sentence says what is missing."""


@transaction.atomic
def claim(
    *,
    version: ModelVersion,
    evidence: Collection[UUID],
    reasons: Mapping[str, str],
    user: User,
    now: datetime,
) -> AnonymityClaim:
    """Claim that neither extraction nor queries of a version give away anybody's data.

    Args:
        version: one that was made by an unlearning, as only such are audited.
        evidence: ids of evidence on that very version.
        reasons: by name of an attack without evidence, why none is needed.
        user: who claims it.
        now: when.

    Raises:
        NotAllowed: the user may not decide about models.
        ClaimRefused: evidence about another version, or an attack that is not answered.
    """
    require(user, Right.OPERATE)
    if version.kind == ModelVersion.Kind.SHADOW or version.state == ModelVersion.State.DESTROYED:
        raise ClaimRefused(
            worded(
                "%(version)s is a shadow model or destroyed; nothing can be claimed.",
                version=version,
            )
        )
    rows = list(evidence_about(version).filter(pk__in=evidence))
    if strange := set(evidence) - {one.pk for one in rows}:
        raise ClaimRefused(
            worded(
                "%(count)s pieces of evidence are not about %(version)s.",
                count=len(strange),
                version=version,
            )
        )
    given = {name: text.strip() for name, text in reasons.items() if text.strip()}
    _check(given, covered(rows))
    made, _ = AnonymityClaim.objects.update_or_create(
        version=version,
        defaults={"reasons": given, "claimed_by": user, "claimed_at": now},
    )
    made.evidence.set(rows)
    log.append(
        type="anonymity_claimed",
        case=None,
        now=now,
        actor=actor_of(user),
        data={"version": str(version.pk), "evidence": len(rows), "reasons": len(given)},
    )
    return made


def _check(given: Mapping[str, str], shown: set[str]) -> None:
    known = families()
    if unknown := sorted(set(given) - set(known)):
        raise ClaimRefused(
            worded_of(
                "reasons",
                "It has %(names)s, which the register does not know.",
                names=", ".join(unknown),
            )
        )
    if short := sorted(name for name, text in given.items() if len(text) < LEAST_REASON):
        raise ClaimRefused(
            worded(
                "The reasons for %(names)s have less than %(least)s characters.",
                names=", ".join(short),
                least=LEAST_REASON,
            )
        )
    answered = shown | set(given)
    if left := [title for name, title in known.items() if name not in answered]:
        raise ClaimRefused(
            worded(
                "Neither evidence nor a written reason answers %(count)s attacks: %(names)s.",
                count=len(left),
                names="; ".join(left),
            )
        )


@transaction.atomic
def drop(*, version: ModelVersion, user: User, now: datetime) -> bool:
    """Take a claim back; False when there is none. Raises NotAllowed."""
    require(user, Right.OPERATE)
    if not AnonymityClaim.objects.filter(version=version).delete()[0]:
        return False
    log.append(
        type="anonymity_claim_dropped",
        case=None,
        now=now,
        actor=actor_of(user),
        data={"version": str(version.pk)},
    )
    return True
