"""The paragraph on models: what was or will be done to each version, and by when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audits.core.letter_dates import date_words
from audits.core.placeholders import fill
from audits.queries.clocks import today
from audits.queries.ends import End, ends_of, exceptions_of
from audits.queries.evidence import verdict_of
from audits.queries.letter_texts import FALLBACK, phrases
from unlearning.models import UnlearningRun

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from audits.models import ErasureRequest

R = UnlearningRun.Status
_OWN_WORDS = frozenset(
    {"destroy", "retrain_outside", "decrement", "no_action", "certified_newton"}
)
_COUNTS = ("models", "right_at_most", "right_before_at_least")
_MADE_AGAIN = frozenset({"EXACT", "CERTIFIED"})


def model_sentences(
    request: ErasureRequest, locale: str, context: Mapping[str, Any]
) -> tuple[str, ...]:
    """Return a sentence per version that learned from the person; one where there was none.

    A run that was replaced by another is not told of. What is not done yet is due by
    ``models_by`` of the context, or else by the day of the answer. A version that stays by an
    approved exception is no work to come, whatever was tried with it.
    """
    stay = exceptions_of(request)
    told = [run for run in context.get("runs") or () if not hasattr(run, "escalated_to")]
    due = context.get("models_by") or request.due_on
    treated = [run for run in told if run.target_id not in stay]
    said = [_sentence(run, request, locale, due) for run in treated]
    said += [
        excepted_sentence(str(one.version), one.code, one.until, locale) for one in stay.values()
    ]
    if "runs" in context:
        known = {run.target_id for run in context["runs"] or ()}
        gone = [one.version for one in ends_of(request) if one.end == End.DESTROYED]
        destroyed = phrases(locale)["destroy"]
        said += [fill(destroyed, {"version": str(one)}) for one in gone if one.pk not in known]
    return tuple(said) or (phrases(locale)["no_models"],)


def excepted_sentence(version: str, code: str, until: date, locale: str) -> str:
    """Return that a version stays as it is under Art. 17(3), until when and why."""
    words = phrases(locale)
    values = {"version": version, "day": date_words(until, locale), "reason": words[code]}
    return fill(words["excepted"], values)


def _sentence(run: UnlearningRun, request: ErasureRequest, locale: str, due: date | None) -> str:
    words = phrases(locale)
    if run.status != R.CLEARED:
        day = date_words(due, locale) if due else ""
        phrase = words["planned" if due else "planned_open"]
        return fill(phrase, {"version": str(run.target), "day": day})
    sentence = fill(words[_phrase(run)], _values(run, request, locale))
    if run.ended_at is None or run.method == "no_action":
        return sentence
    done = {"sentence": sentence, "day": date_words(today(run.ended_at), locale)}
    return fill(words["done"], done)


def _phrase(run: UnlearningRun) -> str:
    shards = bool(run.report.get("replay", {}).get("shards"))
    return phrase_of(run.method, run.guarantee, shards=shards)


def phrase_of(method: str, guarantee: str, *, shards: bool) -> str:
    """Return the name of the phrase for a version that was dealt with by this method."""
    if method in _OWN_WORDS:
        return method
    if method == "replay":
        return "replay_shards" if shards else "replay"
    return "exact" if guarantee in _MADE_AGAIN else "unlearned"


def _values(run: UnlearningRun, request: ErasureRequest, locale: str) -> dict[str, str]:
    epsilon = run.report.get("epsilon", "")
    shown = f"{epsilon:.2f}" if isinstance(epsilon, int | float) else str(epsilon)
    return {
        "version": str(run.target),
        "epsilon": _decimal(shown, locale),
        "delta": _decimal(str(run.report.get("delta", "")), locale),
        "evidence": _evidence(run, request, locale),
    }


def _evidence(run: UnlearningRun, request: ErasureRequest, locale: str) -> str:
    verdict = verdict_of(run, request)
    found = verdict.evidence.payload.get("pass_in_numbers") if verdict else None
    return attack_sentence(found, locale)


def attack_sentence(found: Mapping[str, Any] | None, locale: str) -> str:
    """Return what the attack found, by its numbers; evidence of an earlier release has none.

    Args:
        found: of ``audits.core.plainly.pass_in_numbers``.
        locale: one of ``LOCALES``.
    """
    words = phrases(locale)
    if not found:
        return words["no_trace"]
    numbers = {name: str(found[name]) for name in _COUNTS}
    wrong = _decimal(f"{found['wrong_in_100']:.3g}", locale)
    tested = fill(words[f"tested_{found['data']}"], numbers)
    return fill(words["passed"], {**numbers, "tested": tested, "wrong": wrong})


def _decimal(number: str, locale: str) -> str:
    return number if locale == FALLBACK else number.replace(".", ",")
