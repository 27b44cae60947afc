"""The words of the picture of provenance, in the language that is active."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from audits.queries.ends import End
from unlearning.queries.catalogue import titles

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from audits.execution.provenance_graph import Way

# Short enough for a box, and the same in what is said to those who do not see the picture.
ENDS: Mapping[End, str] = {
    End.DESTROYED: "Destroyed",
    End.RETRAINED: "Retrained",
    End.UNLEARNED: "Unlearned",
    End.ROLLED_BACK: "Rolled back",
    End.LEFT_WITHIN_BOUND: "Left as it is",
    End.EXCEPTED: "Excepted",
    End.OPEN: "Nothing yet",
}
# A shape for each end, filled where the old version is gone.
MARKS: Mapping[End, tuple[str, bool]] = {
    End.DESTROYED: ("X", True),
    End.RETRAINED: ("o", True),
    End.UNLEARNED: ("D", True),
    End.ROLLED_BACK: ("<", False),
    End.LEFT_WITHIN_BOUND: ("s", False),
    End.EXCEPTED: ("^", False),
    End.OPEN: ("o", False),
}
ROLES: Mapping[str, str] = {
    "TRAINING": "training data",
    "VALIDATION": "validation data",
    "BASE_MODEL": "base model",
    "TEACHER": "teacher",
    "SOURCE_MODEL": "source model",
    "GENERATOR": "synthetic data",
    "PREPROCESSING": "preprocessing",
    "SCALER": "scaler",
    "VOCABULARY": "vocabulary",
    "FEATURES": "feature selection",
    "LABELS": "labels",
    "TUNING": "tuning",
    "TRACE": "trace of a purge",
}
METHODS: Mapping[str, str] = {
    "retrain": "Retraining",
    "replay": "Replay",
    "destroy": "Destruction",
    "retrain_outside": "Retraining outside",
    "no_action": "No action",
    "certified_newton": "Newton step",
}
VERDICTS: Mapping[str, str] = {
    "ERASED_BY_CONSTRUCTION": "by construction",
    "BOUNDED_IN_TRAINING": "bounded in training",
    "BOUNDED_REMOVAL": "bounded removal",
    "PASS_STRICT": "pass, strict",
    "PASS_LEAK": "pass on leak",
    "FAIL": "fail",
    "DESTROYED": "too inaccurate",
    "NO_SIGNAL": "no signal",
    "INCONCLUSIVE": "inconclusive",
    "INVALID": "invalid",
}


def title() -> str:
    """Return the name of the picture."""
    return _("From the data to the model versions, and what became of them")


def heads() -> tuple[str, str, str, str]:
    """Return what stands over the columns of data, versions, runs and ends."""
    return _("Data"), _("Learned from it (records)"), _("Last run"), _("What became of it")


def legend(*, indirect: bool) -> str:
    """Return what the lines mean."""
    if indirect:
        return _("Solid line: direct influence. Dashed line: indirect influence.")
    return _("Solid line: direct influence.")


def versions_words(count: int) -> str:
    """Return how many versions a box stands for."""
    return _("%(count)d version(s)") % {"count": count}


def others_words() -> str:
    """Return what stands for all data sets but the largest."""
    return _("further data sets")


def unknown_words() -> str:
    """Return why nothing more is known of some versions."""
    return _("coverage unknown")


def until_words(day: str) -> str:
    """Return until when a version stays."""
    return _("until %(day)s") % {"day": day}


def role_words(role: str) -> str:
    """Return for what something was read."""
    return _(ROLES[role]) if role in ROLES else role.replace("_", " ").lower()


def method_words(way: Way) -> tuple[str, str]:
    """Return what was done last and its verdict; of many versions, how often."""
    if way.count > 1:
        counts = Counter(_method(one.method) for one in way.runs)
        first, *rest = (f"{count} \u00d7 {name}" for name, count in counts.most_common())
        return first, ", ".join(rest)
    last = way.runs[-1]
    number = f"{len(way.runs)}. " if len(way.runs) > 1 else ""
    said = _(VERDICTS[last.verdict]) if last.verdict in VERDICTS else ""
    return f"{number}{_method(last.method)}", said


def _method(name: str) -> str:
    return _(METHODS[name]) if name in METHODS else titles().get(name, name)


def described(ways: Sequence[Way], unknown: int, *, grouped: bool) -> str:
    """Return in sentences what the picture shows."""
    data = sorted({way.steps[0][0] for way in ways if way.steps})
    sentences = [
        _("%(versions)d model version(s) are known to have learned from records in %(data)d "
          "source(s) of data.") % {"versions": len(ways), "data": len(data)}
    ]  # fmt: skip
    counts = Counter(way.end for way in ways)
    sentences += [f"{_(ENDS[end])}: {counts[end]}." for end in End if counts[end]]
    if unknown:
        sentences.append(
            _("Of %(count)d more it is not known what they learned from.") % {"count": unknown}
        )
    if grouped:
        sentences.append(_("Versions are put together by data set."))
    return " ".join(sentences)
