"""The derivation of a due date, in sentences for whoever has to defend it.

A record keeps them in English; a page says them in the language of its reader.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from audits.core.regimes import REGIMES, Unit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from audits.core.deadline import Derivation, Limit
    from audits.core.regimes import Period


SENTENCES = {
    "received": "Received on %(day)s at %(clock)s UTC, which was %(local)s in %(zone)s.",
    "due": "The answer is due %(period)s after the day of receipt (%(law)s), on %(due)s.",
    "clamped": "The answer is due %(period)s after the day of receipt (%(law)s), on %(due)s, the "
    "last day of a month without a day %(number)s.",
    "own": "the controller's own target",
    "moved": "It moved to the next working day, %(due)s: %(why)s.",
    "free": "%(day)s is %(reason)s",
    "rolls": "Public holidays are those of %(calendar)s (%(edition)s).",
    "stays": "A weekend or a public holiday at the end does not move it.",
    "extended": "Extended, it would be due %(period)s after the day of receipt, on %(due)s.",
    "acknowledge": "The receipt is to be confirmed by %(day)s.",
    "source": "Source: %(source)s.",
}


class Words(Protocol):
    """How a language says a sentence and a day."""

    def say(self, text: str, /) -> str:
        """Return a constant text."""
        ...

    def short(self, value: date, /) -> str:
        """Return a day."""
        ...

    def brief(self, value: date, /) -> str:
        """Return a day without its year."""
        ...

    def long(self, value: date, /) -> str:
        """Return a day with its day of the week."""
        ...


class English:
    """As the module has it."""

    def say(self, text: str, /) -> str:
        """Return it as it is."""
        return text

    def short(self, value: date, /) -> str:
        """Return "3 May 2026"."""
        return f"{value:%-d %B %Y}"

    def brief(self, value: date, /) -> str:
        """Return "3 May"."""
        return f"{value:%-d %B}"

    def long(self, value: date, /) -> str:
        """Return "Sunday 3 May 2026"."""
        return day(value)


ENGLISH = English()


def sentences(found: Derivation, words: Words = ENGLISH) -> tuple[str, ...]:
    """Return how a due date was derived, step by step."""
    return tuple(_sentences(found, words))


def day(value: date) -> str:
    """Return a day as a sentence has it."""
    return f"{value:%A %-d %B %Y}"


def _sentences(found: Derivation, words: Words) -> Iterator[str]:
    regime = REGIMES[found.regime]
    yield _say(
        words,
        "received",
        day=words.short(found.received_at),
        clock=f"{found.received_at:%H:%M}",
        local=words.long(found.received_on),
        zone=found.zone,
    )
    whose = words.say(SENTENCES["own"] if regime.own_target else regime.name)
    yield _say(
        words,
        "clamped" if _clamped(found, regime.first) else "due",
        period=words.say(regime.first.words),
        law=whose,
        due=words.long(found.first.raw),
        number=found.received_on.day,
    )
    yield from _moved(found.first, words)
    if regime.rolls:
        edition = found.calendar_version
        yield _say(words, "rolls", calendar=found.calendar, edition=edition)
    else:
        yield _say(words, "stays")
    if found.extended is not None and regime.extended is not None:
        period, due = words.say(regime.extended.words), words.long(found.extended.due_on)
        yield _say(words, "extended", period=period, due=due)
    if found.acknowledge_on:
        yield _say(words, "acknowledge", day=words.long(found.acknowledge_on))
    yield _say(words, "source", source=words.say(regime.source))


def _say(words: Words, name: str, **values: object) -> str:
    return words.say(SENTENCES[name]) % values


def _clamped(found: Derivation, period: Period) -> bool:
    return period.unit is Unit.MONTHS and found.first.raw.day < found.received_on.day


def _moved(limit: Limit, words: Words) -> Iterator[str]:
    if limit.skipped:
        why = ", ".join(
            _say(words, "free", day=words.brief(skipped), reason=words.say(reason))
            for skipped, reason in limit.skipped
        )
        yield _say(words, "moved", due=words.long(limit.due_on), why=why)
