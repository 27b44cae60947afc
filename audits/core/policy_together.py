"""What must be true of all policy values together, whichever of them were changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import holidays

from audits.core.policy import EvidencePolicy, PolicyRefused

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NOT_REACHED = ("SAME_RECIPE", "BIT_EXACT")  # by differential privacy


def contradictions(values: Mapping[str, Any], evidence: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence for each rule that values break together.

    Args:
        values: every value of ``policy_keys.KEYS`` with a variable of its own, by name, and
            ``SUPPRESSION_DAYS``.
        evidence: fields of the policy of evidence, as ``EvidencePolicy.from_dict`` reads them.
    """
    try:
        EvidencePolicy.from_dict(evidence)
    except PolicyRefused as error:
        yield str(error)
    yield from _days(values)
    if values["ACCEPT_EPSILON"] and values["MINIMUM"] in NOT_REACHED:
        yield (
            f"ACCEPT_EPSILON is {values['ACCEPT_EPSILON']:g}, and MINIMUM is "
            f"{values['MINIMUM']}, which differential privacy does not reach."
        )
    yield from _calendar(values["COUNTRY"], values["REGION"])


def _days(values: Mapping[str, Any]) -> Iterator[str]:
    deadline, wait = values["DEADLINE_DAYS"], values["COALESCE_DAYS"]
    if wait >= deadline:
        yield (
            f"COALESCE_DAYS is {wait:g}, and DEADLINE_DAYS is {deadline:g}: a request would wait "
            "for others until it is late."
        )
    if values["SHADOW_DAYS"] < deadline:
        yield (
            f"SHADOW_DAYS is {values['SHADOW_DAYS']}, and DEADLINE_DAYS is {deadline:g}: the "
            "shadow models of a request that is in time would be destroyed before a verdict."
        )
    if 0 < values["SUPPRESSION_DAYS"] < deadline:
        yield (
            f"DEADLINE_DAYS is {deadline:g}, and EXPUNGE_SUPPRESSION_DAYS is "
            f"{values['SUPPRESSION_DAYS']}: somebody could be imported again before their own "
            "case is closed."
        )


def _calendar(country: str, region: str) -> Iterator[str]:
    known = holidays.list_supported_countries(include_aliases=False)
    if country not in known:
        yield f"COUNTRY is {country!r}, for which no public holidays are known."
    elif region and region not in known[country]:
        allowed = ", ".join(known[country]) or "none"
        yield f"REGION is {region!r}; the regions of {country} are: {allowed}."
