"""What the placeholders of a letter stand for in one case, in the language of the letter."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.conf import settings

from audits.core.letter_dates import date_words
from audits.core.letter_rules import SECRETS
from audits.core.placeholders import fill
from audits.models import ErasureRequest, LogCheckpoint
from audits.queries.letter_models import model_sentences
from audits.queries.letter_texts import phrases
from audits.queries.policy_values import in_force

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    Value = str | tuple[str, ...]

_PLAIN = sorted(SECRETS)
_DAYS = ("new_due", "lift_on", "until")


def letter_values(
    request: ErasureRequest, locale: str, context: Mapping[str, Any]
) -> dict[str, Value]:
    """Return every value that a letter about the case may use; empty where there is none.

    Args:
        request: the case.
        locale: one of ``LOCALES``.
        context: what only the caller knows. ``runs``, ``record``, ``asked`` and the links;
            ``reason`` and ``asked``, a code of the phrases
            or words; ``new_due``, ``lift_on``, ``until`` and ``models_by``, days;
            ``places_erased``, a count; ``recipients``, names; ``places``, of ``name`` and
            ``why``, which may be a code; ``exceptions``, of ``what``, ``reason`` and ``until``;
            ``backups``, of ``name`` and ``expires_on``: each a sequence of mappings.
    """
    words = phrases(locale)
    plain = {name: _plain(context.get(name)) for name in _PLAIN}
    days = {name: day_words(context.get(name), locale) for name in _DAYS}
    return {
        **of_the_installation(),
        **_of_the_case(request, locale),
        **plain,
        **days,
        "reason": _said(context.get("reason") or request.refusal_code, words),
        "asked": _asked(context, words, days),
        "done": _done(context, words),
        "models": model_sentences(request, locale, context),
        "places": tuple(_place(one, words) for one in context.get("places") or ()),
        "exceptions": _dated(context.get("exceptions"), "until", "until", locale),
        "backups": _dated(context.get("backups"), "expires_on", "overwritten", locale),
        "recipients": tuple(context.get("recipients") or ()),
        "record": _record(context),
    }


def of_the_installation() -> dict[str, Value]:
    """Return the values that every letter and notice may use, whatever its case."""
    checkpoint = LogCheckpoint.objects.order_by("-size").first()
    return {
        "controller": in_force("CONTROLLER"),
        "contact": in_force("CONTACT"),
        "authority": in_force("AUTHORITY"),
        "site": settings.SITE_URL,
        "checkpoint": checkpoint.note if checkpoint else "",
    }


def _of_the_case(request: ErasureRequest, locale: str) -> dict[str, Value]:
    return {
        "reference": request.reference,
        "received_on": day_words(request.received_at, locale),
        "due_on": day_words(request.due_on, locale),
        "erased_on": day_words(request.erased_at, locale),
        "earlier": request.joined_to.reference if request.joined_to else "",
        "hours": str(in_force("CONFIRM_HOURS")),
    }


def _plain(value: object) -> Value:
    if isinstance(value, list | tuple):
        return tuple(str(item) for item in value)
    return "" if value is None else str(value)


def day_words(value: object, locale: str) -> str:
    """Return a day in words: of a moment, where the legal clock runs; of a text, as ISO 8601."""
    if not value:
        return ""
    if isinstance(value, str):
        value = date.fromisoformat(value[:10])
    if isinstance(value, datetime):
        value = value.astimezone(ZoneInfo(settings.EXPUNGE_CLOCK_ZONE)).date()
    if not isinstance(value, date):
        raise TypeError(f"{value!r} is no day.")
    return date_words(value, locale)


def _said(code: object, words: Mapping[str, str]) -> str:
    """Return the sentence for a code, or what is no code as it is."""
    said = str(code or "")
    return words.get(said, said)


def _asked(context: Mapping[str, Any], words: Mapping[str, str], days: Mapping[str, str]) -> str:
    """Return what the person is asked for, and by when where there is a day for it."""
    asked = _said(context.get("asked"), words)
    return fill(words["by_day"], {"sentence": asked, **days}) if asked and days["until"] else asked


def _done(context: Mapping[str, Any], words: Mapping[str, str]) -> tuple[str, ...]:
    """Return what was done to the data; the keys stay while something is kept."""
    kept = bool(context.get("exceptions"))
    done = [words["deleted_but"] if kept else words["deleted"]]
    if not kept:
        done.append(words["keys_destroyed"])
    if count := context.get("places_erased"):
        done.append(fill(words["places_erased"], {"count": str(count)}))
    return tuple(done)


def _place(one: Mapping[str, Any], words: Mapping[str, str]) -> str:
    why = _said(one.get("why"), words)
    return f"{one['name']}: {why}" if why else str(one["name"])


def _dated(
    rows: Iterable[Mapping[str, Any]] | None, key: str, phrase: str, locale: str
) -> tuple[str, ...]:
    """Return rows of ``name`` or ``what``, and ``reason``, with the day under ``key``."""
    words, said = phrases(locale), []
    for row in rows or ():
        sentence = str(row.get("what") or row.get("name") or "")
        if reason := str(row.get("reason") or ""):
            sentence = f"{sentence}: {words.get(reason, reason).rstrip('.')}"
        if day := day_words(row.get(key), locale):
            sentence = fill(words[phrase], {"sentence": sentence, "day": day})
        said.append(sentence)
    return tuple(said)


def _record(context: Mapping[str, Any]) -> str:
    record = context.get("record")
    return str(record.sha256 if record else context.get("record_sha256", ""))
