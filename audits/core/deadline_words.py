"""The derivation of a due date, in sentences for whoever has to defend it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audits.core.regimes import REGIMES, Unit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from audits.core.deadline import Derivation, Limit
    from audits.core.regimes import Period


def sentences(found: Derivation) -> tuple[str, ...]:
    """Return how a due date was derived, step by step."""
    return tuple(_sentences(found))


def _sentences(found: Derivation) -> Iterator[str]:
    regime = REGIMES[found.regime]
    yield (
        f"Received on {found.received_at:%-d %B %Y at %H:%M} UTC, which was "
        f"{day(found.received_on)} in {found.zone}."
    )
    whose = "the controller's own target" if regime.own_target else regime.name
    yield (
        f"The answer is due {regime.first.words} after the day of receipt ({whose}), on "
        f"{day(found.first.raw)}{_clamped(found.received_on, found.first.raw, regime.first)}."
    )
    yield from _moved(found.first)
    if regime.rolls:
        yield f"Public holidays are those of {found.calendar} ({found.calendar_version})."
    else:
        yield "A weekend or a public holiday at the end does not move it."
    if found.extended is not None and regime.extended is not None:
        yield (
            f"Extended, it would be due {regime.extended.words} after the day of receipt, on "
            f"{day(found.extended.due_on)}."
        )
    if found.acknowledge_on:
        yield f"The receipt is to be confirmed by {day(found.acknowledge_on)}."
    yield f"Source: {regime.source}."


def day(value: date) -> str:
    """Return a day as a sentence has it."""
    return f"{value:%A %-d %B %Y}"


def _clamped(received: date, raw: date, period: Period) -> str:
    if period.unit is Unit.MONTHS and raw.day < received.day:
        return f", the last day of a month without a day {received.day}"
    return ""


def _moved(limit: Limit) -> Iterator[str]:
    if limit.skipped:
        why = ", ".join(f"{skipped:%-d %B} is {reason}" for skipped, reason in limit.skipped)
        yield f"It moved to the next working day, {day(limit.due_on)}: {why}."
