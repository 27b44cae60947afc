"""What the public edition says: many cases together, in counts that single nobody out.

Every count is a band, and a small one is "fewer than 5", none included, so that neither a rare
event nor its absence can be read. Medians need at least five cases. No case, reference, digest,
day or name of a model version is in it.
"""

from __future__ import annotations

from collections import Counter
from datetime import date
from statistics import median
from typing import TYPE_CHECKING, Any

from audits.execution import report_words as words
from audits.execution.report_labels import labels
from audits.execution.report_models import treated_versions
from audits.execution.report_speech import day, language, say
from audits.queries.policy_values import in_force
from unlearning.queries.catalogue import titles

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

SMALL = 5
EDGES = (5, 10, 20, 50, 100, 200, 500, 1000)
PUBLIC: dict[str, Any] = {
    "title": "Requests about personal data and models",
    "description": "How requests were dealt with in a period, in bands",
    "keywords": ["erasure", "GDPR Art. 17", "machine unlearning", "aggregate"],
}
TEXTS: dict[str, str | tuple[str, ...]] = {
    "requests_title": "Requests",
    "days_title": "Time to the sealed result",
    "verdicts_title": "Results of models",
    "methods_title": "Methods used",
    "how_title": "How to read this",
    "bands": ("What", "Number"),
    "days": ("What", "Days"),
}
HOW = (
    'All numbers are bands. "Fewer than 5" includes none, so that nobody can be singled out, and '
    "so that nobody can read that something did not happen.",
    "Only cases are counted whose signed record was sealed in this period and verifies. A case is "
    "counted in the period of its seal.",
    "A result of a model is what was measured or is known of how it was made. It does not say "
    "that nothing is left in it.",
    "This page is made from signed records. Whoever may see the records can draw it again.",
)


def public_view(cases: Iterable[Mapping[str, Any]], *, since: date, until: date) -> dict[str, Any]:
    """Return everything that the public edition shows.

    Args:
        cases: the findings of verified records, each with its events, the seal being the last.
        since: the first day of the period.
        until: the last day of it.
    """
    found = list(cases)
    runs = [one.final for case in found for one in treated_versions(case)]
    return {
        "locale": language(),
        "names": words.names(PUBLIC),
        "words": labels() | words.names(TEXTS),
        "controller": in_force("CONTROLLER"),
        "date": [until.year, until.month, until.day, 0, 0, 0],
        "period": say(
            "Cases closed from %(since)s to %(until)s", since=day(since), until=day(until)
        ),
        "requests": [
            [say("All requests"), band(len(found))],
            *_bands(Counter(case["request"]["outcome"] for case in found), _outcomes()),
            [
                say("Sealed by the day on which the answer was due"),
                band(sum(map(_in_time, found))),
            ],
        ],
        "days": _days([_waited(case) for case in found]),
        "verdicts": _bands(Counter(run["verdict"] for run in runs), _verdicts()),
        "methods": _bands(Counter(run["method"] for run in runs), _methods()),
        "how": list(map(say, HOW)),
    }


def band(count: int) -> str:
    """Return the band that a count lies in, such as ``10-19``; none is "fewer than 5", too."""
    if count < SMALL:
        return say("fewer than 5")
    low = max(edge for edge in EDGES if edge <= count)
    higher = [edge for edge in EDGES if edge > low]
    return f"{low}\u2013{higher[0] - 1}" if higher else say("%(n)s or more", n=low)


def _bands(counts: Mapping[str, int], names: Mapping[str, str]) -> list[list[str]]:
    """Return a row for every name, whether or not it occurred."""
    return [[said, band(counts.get(name, 0))] for name, said in names.items()]


def _outcomes() -> dict[str, str]:
    return {name: words.said(name) for name in words.CASES}


def _verdicts() -> dict[str, str]:
    return {name: f"{words.said(name)}: {say(said)}" for name, (_, said) in words.VERDICTS.items()}


def _methods() -> dict[str, str]:
    return {name: say(title) for name, title in sorted((titles() | words.UNTITLED).items())}


def _days(waited: Sequence[int]) -> list[list[str]]:
    enough = len(waited) >= SMALL
    shown = str(round(median(waited))) if enough else say("not shown: fewer than 5 cases")
    return [[say("From receipt to the seal, median"), shown]]


def _waited(case: Mapping[str, Any]) -> int:
    received = date.fromisoformat(case["request"]["received_at"][:10])
    return (date.fromisoformat(case["events"][-1]["at"][:10]) - received).days


def _in_time(case: Mapping[str, Any]) -> bool:
    due = case["request"]["due_on"]
    return bool(due) and str(case["events"][-1]["at"])[:10] <= due
