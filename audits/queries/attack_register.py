"""The register of attacks: how often each was run in a period, and why it was not."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from audits.core.attack_register import known_attacks
from audits.models import Evidence

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date
    from uuid import UUID

    from audits.core.attack_register import KnownAttack

K = Evidence.Kind
ASKED = (K.U_LIRA, K.POPULATION, K.CANARIES)
NO_AUDIT = "No audit was made in this period."
EXACT = "All runs of this period were exact, which the construction shows and no attack judges."
NOT_ASKED = "No audit of this period says why."


@dataclass(frozen=True, kw_only=True)
class AttackInPeriod:
    """An attack and what became of it.

    Attributes:
        attack: the attack.
        results: pieces of evidence that report a result of it.
        runs: unlearning runs that these are about.
        reasons: why it was not run, in sentences, with how often each was given.
    """

    attack: KnownAttack
    results: int
    runs: int
    reasons: Mapping[str, int] = field(default_factory=dict)

    @property
    def words(self) -> str:
        """Return why it was not run; empty where it always was."""
        return " ".join(
            f"{reason} ({count} times)" if count > 1 else reason
            for reason, count in self.reasons.items()
        )


def attack_register(
    *, since: date | None = None, until: date | None = None
) -> list[AttackInPeriod]:
    """Return every attack known, with what evidence of a period says of it.

    Days are UTC and both included; None is open.
    """
    found = Evidence.objects.filter(kind__in=[*ASKED, K.CONSTRUCTION])
    if since:
        found = found.filter(created_at__date__gte=since)
    if until:
        found = found.filter(created_at__date__lte=until)
    made: dict[str, list[UUID]] = defaultdict(list)
    reasons: dict[str, Counter[str]] = defaultdict(Counter)
    kinds: set[str] = set()
    for one in found.only("kind", "payload", "run_id").order_by("created_at").iterator():
        kinds.add(one.kind)
        for name in _made(one.kind, one.payload):
            made[name].append(one.run_id)
        for title, reason in _not_made(one.kind, one.payload):
            reasons[title][reason] += 1
    fallback = NOT_ASKED if kinds & set(ASKED) else EXACT if kinds else NO_AUDIT
    return [
        _row(one, made[one.name], reasons[one.title] + reasons[one.name], fallback)
        for one in known_attacks()
    ]


def _row(
    attack: KnownAttack, runs: list[UUID], reasons: Mapping[str, int], fallback: str
) -> AttackInPeriod:
    given = {attack.never: 1} if attack.never else dict(reasons)
    if not runs and not given:
        given = {fallback: 1}
    return AttackInPeriod(attack=attack, results=len(runs), runs=len(set(runs)), reasons=given)


def _made(kind: str, payload: Mapping[str, Any]) -> Iterator[str]:
    if kind == K.POPULATION:
        if not payload.get("not_computed"):
            yield "population"
        return
    if kind == K.CANARIES:
        yield from payload.get("findings", {})
        return
    if "kept" in payload:
        yield "u_lira"
    yield from payload.get("attacks", {})
    yield from (
        one["attack"] for one in payload.get("comparisons", ()) if "not_computed" not in one
    )


def _not_made(kind: str, payload: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield a title or a name, and a reason."""
    if kind == K.POPULATION and payload.get("not_computed"):
        yield "population", str(payload["not_computed"])
    yield from payload.get("not_made", {}).items()
    yield from ((one["attack"], one["reason"]) for one in payload.get("not_run", ()))
    yield from (
        (one["title"], one["not_computed"])
        for one in payload.get("comparisons", ())
        if "not_computed" in one
    )
