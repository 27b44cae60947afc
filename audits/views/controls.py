"""What an audit was shown whose answer is known, and the attempts that came before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from audits.views.cells import mapping
from audits.views.measurements import Fact
from audits.views.wording import BUSY, Badge, method_title, verdict_badge

if TYPE_CHECKING:
    from collections.abc import Mapping

# As ``audits/core/harness.py`` begins its findings.
BLIND = ("The attack does not see planted canaries", "The canaries cannot be evaluated")
FALSE_ALARM = "The attack tells apart models that never saw the records"
RESTING = Badge(label="Not judged yet", tone=BUSY)


@dataclass(frozen=True, kw_only=True)
class Earlier:
    """An audit of the same version and some of the same records that counts against this one."""

    method: str
    badge: Badge


def control_facts(payload: Mapping[str, Any], design: Mapping[str, Any]) -> tuple[Fact, ...]:
    """Return the known truths of the experiment, and whether the attack got them right."""
    kept = mapping(payload.get("kept"))
    if not kept:
        return ()
    found = [str(one) for one in kept.get("findings") or payload.get("findings") or ()]
    planted = design.get("canaries")
    positive = (
        _("Positive: %(planted)s mislabelled records planted, which it must see")
        % {"planted": planted}
        if planted
        else _("Positive: mislabelled records planted")
    )
    negative = _("Negative: models that never saw the records, which it must not tell apart")
    seen = _("seen") if planted else _("none in this design")
    return (
        _fact(positive, found if planted else [], BLIND, seen),
        _fact(negative, found, (FALSE_ALARM,), _("not told apart, or too few to be halved")),
    )


def earlier_attempts(payload: Mapping[str, Any]) -> tuple[Earlier, ...]:
    """Return the audits that came before, as the evidence says."""
    found = payload.get("earlier_attempts")
    rows = [mapping(one) for one in found] if isinstance(found, list) else []
    return tuple(
        Earlier(
            method=_(method_title(str(one.get("method", "")))),
            badge=verdict_badge(str(one["outcome"])) if one.get("outcome") else RESTING,
        )
        for one in rows
    )


def _fact(name: str, findings: list[str], beginnings: tuple[str, ...], otherwise: str) -> Fact:
    """Return the stored findings that begin so, else what holds without one."""
    said = " ".join(one for one in findings if one.startswith(beginnings))
    return Fact(name=name, value=said or otherwise, stored=bool(said))
