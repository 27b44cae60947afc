"""Whether the limits of an audit stood in the log before its first result did."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from audits.core.account import LoggedEvent

RESULTS = ("scores_committed", "verdict_reached")


def limits_first(
    events: Sequence[LoggedEvent],
    policies: Mapping[str, str | None],
    looks: Mapping[str, int] = MappingProxyType({}),
) -> list[dict[str, object]]:
    """Return, of each audited run, the places of its limits and of its first result in the log.

    Args:
        events: of one case, in the order of the log.
        policies: by run, the digest of the policy that its evidence names; None where it names
            none, and then nothing is said to have been fixed before.
        looks: by run, how many looks its evidence is of. Each look is an event, but for one that
            was taken over from elsewhere, so the larger number is told.
    """
    return [_of(run, policy, events, looks=looks.get(run, 0)) for run, policy in policies.items()]


def _of(
    run: str, policy: str | None, events: Sequence[LoggedEvent], *, looks: int
) -> dict[str, object]:
    fixed = _first(events, ("policy_fixed",), policy=policy)
    result = _first(events, RESULTS, run=run)
    logged = sum(one.event.type == "look_taken" and one.event.data["run"] == run for one in events)
    return {
        "run": run,
        "policy": policy,
        "fixed_at": fixed,
        "first_result_at": result,
        "fixed_before": fixed is not None and (result is None or fixed < result),
        "looks": max(logged, looks),
    }


def _first(
    events: Sequence[LoggedEvent], kinds: tuple[str, ...], **data: str | None
) -> int | None:
    for one in events:
        matches = all(one.event.data.get(name) == value for name, value in data.items())
        if one.event.type in kinds and matches:
            return one.index
    return None
