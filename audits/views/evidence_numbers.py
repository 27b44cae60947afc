"""The numbers behind the pictures of an evidence: as tables, as CSV, and for the pointer.

A payload is JSON that an earlier release may have sealed, so no part of it is taken for granted.
"""

from __future__ import annotations

from itertools import pairwise
from math import isfinite
from statistics import median
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from audits.core.estimates import Level
from audits.core.score_bins import bin_edges, counted
from audits.views.cells import mapping, number, percent
from audits.views.contrasts import CONTRASTS, LEVELS, MAIN, MARGINS
from audits.views.number_table import Numbers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from audits.views.number_table import Cell

STAGES = {"before": "Before unlearning", "leak": "After unlearning"}
ARMS = {"in": "learned the records", "out": "never saw them"}
EVERY = 5  # of the rates that are kept stands in the table of the page; the file has all
DIGITS = 4  # of a score, for the pointer
# What was not drawn or not kept, and why.
LACKING = {
    "curves": "The curves were not drawn: this audit relies on a certificate, so there are no "
    "scores of these records, or it was judged by a release that drew none.",
    "rates": "The rates along the curves were not kept, only their picture: this was judged by an "
    "earlier release, or a score was not finite.",
    "histograms": "The histograms were not drawn: this was judged by an earlier release.",
    "power": "The power curve was not drawn: for no level that decides is the power known, or "
    "this was judged by an earlier release.",
    "points": "The numbers of the power curve were not kept, only its picture: this was judged by "
    "an earlier release. Those of this look are in a table below.",
}


def tables(payload: Mapping[str, Any], policy: Mapping[str, Any]) -> tuple[Numbers, ...]:
    """Return what is there: the curves, the scores, their counts, the power, the bounds."""
    found = (
        _curves(payload),
        _histograms(payload),
        _scores(payload),
        _power(payload, policy),
        _contrasts(payload, policy),
    )
    return tuple(one for one in found if one is not None)


def lacking(payload: Mapping[str, Any], *, drawn: bool) -> tuple[str, ...]:
    """Return what was not drawn or not kept, each as a sentence with the reason."""
    if payload.get("not_computed"):
        return ()  # the page says why there is nothing at all
    figures = mapping(payload.get("figures"))
    found = {
        "curves": not drawn,
        "rates": drawn and not _kept_curves(payload),
        "histograms": "histograms" not in figures,
        "power": "power" not in figures,
        "points": "power" in figures and not payload.get("power_curve"),
    }
    return tuple(_(LACKING[what]) for what, missing in found.items() if missing)


def for_pointer(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Return what ``evidence.js`` reads: the curves, and one score for each model."""
    scores = {
        stage: {arm: [round(value, DIGITS) for value in values] for arm, values in arms.items()}
        for stage, arms in _by_stage(payload).items()
    }
    return {"curves": _kept_curves(payload) or None, "scores": scores or None}


def _curves(payload: Mapping[str, Any]) -> Numbers | None:
    found = _kept_curves(payload)
    if not found:
        return None
    parts = [found[stage][name] for stage in STAGES for name in ("tpr", "low", "high")]
    rows = tuple(zip(found["rates"], *parts, strict=True))
    return Numbers(
        slug="roc",
        title=_("The curves"),
        about=_(
            "True positive rates at false positive rates that are evenly spaced on a logarithmic "
            "axis, with the ends of the 95 %% band over models. To the left of the first point of "
            "a curve there is no rate. %(n)s models never saw the records, so false positive "
            "rates below %(rate)s cannot be assessed."
        )
        % {
            "n": found["negatives"],
            "rate": percent(min(1.0, 3 / max(found["negatives"], 1))),
        },
        head=(_("False positives"), _("Before"), _("Band"), _("After"), _("Band")),
        shown=tuple(
            (percent(rate), _rate(a), _band(b, c), _rate(d), _band(e, f))
            for rate, a, b, c, d, e, f in rows[::EVERY]
        ),
        columns=(
            "false_positive_rate",
            *(f"{name}_{stage}" for stage in STAGES for name in ("tpr", "low", "high")),
        ),
        rows=rows,
    )


def _histograms(payload: Mapping[str, Any]) -> Numbers | None:
    found = _by_stage(payload)
    every = [value for arms in found.values() for values in arms.values() for value in values]
    if not every:
        return None
    edges = bin_edges(every)
    counts = [counted(found[stage][arm], edges) for stage in STAGES for arm in ARMS]
    rows = tuple(
        (float(low), float(high), *row)
        for (low, high), *row in zip(pairwise(edges), *counts, strict=True)
    )
    return Numbers(
        slug="histograms",
        title=_("The histograms"),
        about=_(
            "Models by what the attack says of them: the log-likelihood ratio, summed over the "
            "records. Above zero it says “learned”. Bins without a model are left out here."
        ),
        head=(
            *(_("From"), _("To"), _("Before: learned"), _("never saw")),
            *(_("After: unlearned"), _("never saw")),
        ),
        shown=tuple(
            (_three(row[0]), _three(row[1]), *map(str, row[2:])) for row in rows if any(row[2:])
        ),
        columns=("from", "to", *(f"{stage}_{arm}" for stage in STAGES for arm in ARMS)),
        rows=rows,
    )


def _scores(payload: Mapping[str, Any]) -> Numbers | None:
    found = _by_stage(payload)
    rows = tuple(
        (stage, arm, value)
        for stage, arms in found.items()
        for arm, values in arms.items()
        for value in sorted(values, reverse=True)
    )
    if not rows:
        return None
    return Numbers(
        slug="scores",
        title=_("The score of each model"),
        about=_("Of the shadow models that judge; sorted, so that no row says which model it is."),
        head=(
            *(_("When"), _("The model"), _("Models")),
            *(_("Lowest"), _("Median"), _("Highest")),
        ),
        shown=tuple(
            (_(STAGES[stage]), _(ARMS[arm]), *_summary(values))
            for stage, arms in found.items()
            for arm, values in arms.items()
            if values
        ),
        columns=("stage", "arm", "log_likelihood_ratio"),
        rows=rows,
    )


def _power(payload: Mapping[str, Any], policy: Mapping[str, Any]) -> Numbers | None:
    rows = tuple(
        (
            one["level"],
            one["models_per_arm"],
            "yes" if one["planned"] else "no",
            one["smallest_bound"],
            one["detectable"],
            policy.get(MARGINS[Level(one["level"])]),
        )
        for one in payload.get("power_curve") or ()
    )
    if not rows:
        return None
    named = {level.value: words for level, words in LEVELS.items()}
    return Numbers(
        slug="power",
        title=_("The power curve"),
        about=_("What an audit can show with so many models per arm, at its looks and beyond."),
        head=(
            *(_("About"), _("Models per arm"), _("A look of the policy")),
            *(_("Rules out"), _("Finds"), _("Margin")),
        ),
        shown=tuple(
            (
                _(named[str(level)]),
                str(size),
                _("yes") if planned == "yes" else _("no"),
                number(bound, digits=2),
                number(seen, digits=2),
                number(margin, digits=2),
            )
            for level, size, planned, bound, seen, margin in rows
        ),
        columns=(
            "level",
            "models_per_arm",
            "look_of_the_policy",
            "rules_out",
            "finds_in_80_percent",
            "margin",
        ),
        rows=rows,
    )


def _contrasts(payload: Mapping[str, Any], policy: Mapping[str, Any]) -> Numbers | None:
    every = {MAIN: payload} | {
        str(one.get("title")): one
        for one in map(mapping, mapping(payload.get("attacks")).values())
    }
    rows = tuple(row for title, one in every.items() for row in _bounds(title, one, policy))
    if not rows:
        return None
    return Numbers(
        slug="contrasts",
        title=_("The contrasts"),
        about=_("Every attack at every level; these are the tables further up on this page."),
        head=(),
        shown=(),
        columns=("attack", "contrast", "level", *MEASURED, "margin"),
        rows=rows,
    )


MEASURED = ("estimate", "lower", "upper", "n_in", "n_out", "unit", "method")


def _bounds(
    title: str, payload: Mapping[str, Any], policy: Mapping[str, Any]
) -> Iterator[tuple[Cell, ...]]:
    for name in CONTRASTS:
        levels = mapping(mapping(payload.get("contrasts")).get(name))
        for level in LEVELS:
            if found := mapping(levels.get(level.value)):
                measured = (found.get(each) for each in MEASURED)
                yield (title, name, level.value, *measured, policy.get(MARGINS[level]))


def _kept_curves(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the member ``curves``, whose shape the schema has checked; empty where there is none.

    Earlier releases kept only the picture.
    """
    return mapping(payload.get("curves"))


def _by_stage(payload: Mapping[str, Any]) -> dict[str, dict[str, list[float]]]:
    """Return the scores of the models by stage and arm; empty unless both stages have both."""
    kept = mapping(payload.get("kept"))
    found = {
        stage: {arm: _finite(mapping(kept.get(stage)).get(f"subject_{arm}")) for arm in ARMS}
        for stage in STAGES
    }
    whole = all(values for arms in found.values() for values in arms.values())
    return found if whole else {}


def _finite(values: Any) -> list[float]:  # noqa: ANN401  (any JSON value)
    if not isinstance(values, list):
        return []
    return [float(one) for one in values if isinstance(one, int | float) and isfinite(one)]


def _summary(values: Sequence[float]) -> tuple[str, ...]:
    ordered = sorted(values)
    numbers = (ordered[0], median(ordered), ordered[-1])
    return (str(len(ordered)), *map(_three, numbers))


def _three(value: float) -> str:
    return f"{value:.3g}"


def _rate(value: float | None) -> str:
    return _("none") if value is None else percent(value)


def _band(low: float, high: float) -> str:
    return _("%(low)s to %(high)s") % {"low": percent(low), "high": percent(high)}
