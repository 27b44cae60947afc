"""What the public edition says: many cases together, in counts that single nobody out.

Every count is of cases, not of models, and a band; a small one is "fewer than 5", none included,
so that neither a rare event nor its absence can be read. A section on fewer than five cases is
left out as a whole; the median needs ten and is in weeks. No case, reference, digest, day or name
of a model version is in it.
"""

from __future__ import annotations

from collections import Counter
from statistics import median
from typing import TYPE_CHECKING, Any

from audits.execution import report_words as words
from audits.execution.report_labels import labels
from audits.execution.report_models import treated_versions
from audits.execution.report_speech import counted, day, language, local_day, say, zone_of
from audits.queries.policy_values import in_force
from unlearning.queries.catalogue import titles

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from audits.execution.report_models import Run

SMALL = 5
FOR_A_MEDIAN = 10
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
    "bands": ("What", "Number of cases"),
    "days": ("What", "Weeks"),
}
HOW = (
    'All numbers are bands. "Fewer than 5" includes none, so that nobody can be singled out, and '
    "so that nobody can read that something did not happen.",
    "Only cases are counted whose signed record was sealed in this period and verifies. A case is "
    "counted in the period of its seal.",
    "Every number counts cases. A case of which several models had one result, or were treated by "
    "one method, counts once there, and it may count in several rows.",
    "Cases that we opened ourselves, without a request, have a row of their own and are counted "
    "nowhere else.",
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
    asked = [case for case in found if "operator_case" not in case]
    results = [finals for case in asked if (finals := _finals(case))]
    return {
        "locale": language(),
        "names": words.names(PUBLIC),
        "words": labels() | words.names(TEXTS),
        "controller": in_force("CONTROLLER"),
        "date": [until.year, until.month, until.day, 0, 0, 0],
        "period": say(
            "Cases closed from %(since)s to %(until)s", since=day(since), until=day(until)
        ),
        "requests": [*_requests(asked), _own(len(found) - len(asked))],
        "days": _weeks([_waited(case) for case in asked]),
        "verdicts": _section(results, "verdict", _verdicts()),
        "methods": _section(results, "method", _methods()),
        "how": list(map(say, HOW)),
    }


def band(count: int) -> str:
    """Return the band that a count lies in, such as ``10-19``; none is "fewer than 5", too."""
    if count < SMALL:
        return say("fewer than 5")
    low = max(edge for edge in EDGES if edge <= count)
    higher = [edge for edge in EDGES if edge > low]
    return f"{low}\u2013{higher[0] - 1}" if higher else say("%(n)s or more", n=low)


def _requests(asked: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    if len(asked) < SMALL:
        return [[say("All requests"), band(len(asked))]]
    outcomes = Counter(case["request"]["outcome"] for case in asked)
    in_time = band(sum(map(_in_time, asked)))
    return [
        [say("All requests"), band(len(asked))],
        *_bands(outcomes, _outcomes()),
        [say("Sealed by the day on which the answer was due"), in_time],
    ]


def _own(count: int) -> list[str]:
    return [say("Cases that we opened ourselves, not counted above"), band(count)]


def _section(
    results: Sequence[Sequence[Run]], member: str, names: Mapping[str, str]
) -> list[list[str]]:
    """Return in how many cases each name occurred, or one row where too few had any."""
    if len(results) < SMALL:
        return [[say("not shown: fewer than 5 cases"), ""]]
    each = ({run[member] for run in finals} for finals in results)
    return _bands(Counter(name for found in each for name in found), names)


def _finals(case: Mapping[str, Any]) -> list[Run]:
    """Return the runs that settled versions; what stays by an exception has none."""
    settled = (one for one in treated_versions(case) if one.runs and one.kind != "excepted")
    return [one.final for one in settled]


def _bands(counts: Mapping[str, int], names: Mapping[str, str]) -> list[list[str]]:
    """Return a row for every name, whether or not it occurred."""
    return [[said, band(counts.get(name, 0))] for name, said in names.items()]


def _outcomes() -> dict[str, str]:
    return {name: words.said(name) for name in words.CASES if name not in OF_OPERATORS}


OF_OPERATORS = frozenset({"REMOVED"})


def _verdicts() -> dict[str, str]:
    return {name: f"{words.said(name)}: {say(said)}" for name, (_, said) in words.VERDICTS.items()}


def _methods() -> dict[str, str]:
    return {name: say(title) for name, title in sorted((titles() | words.UNTITLED).items())}


def _weeks(waited: Sequence[int]) -> list[list[str]]:
    """Return the median in whole weeks; the exact one would be the time of one case."""
    shown = say("not shown: fewer than 10 cases")
    if len(waited) >= FOR_A_MEDIAN:
        weeks = round(median(waited) / 7)
        shown = counted(weeks, "about %(n)s week", "about %(n)s weeks")
        shown = shown if weeks else say("less than a week")
    return [[say("From receipt to the seal, median"), shown]]


def _waited(case: Mapping[str, Any]) -> int:
    received = local_day(case["request"]["received_at"], zone_of(case))
    return (_sealed_on(case) - received).days


def _in_time(case: Mapping[str, Any]) -> bool:
    due = case["request"]["due_on"]
    return bool(due) and _sealed_on(case) <= local_day(due)


def _sealed_on(case: Mapping[str, Any]) -> date:
    """Return the day of the seal where the clock of the case ran, as its due date is counted."""
    return local_day(case["events"][-1]["at"], zone_of(case))
