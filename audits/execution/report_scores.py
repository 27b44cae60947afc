"""The kept numbers of an audit: read from the record, and listed for somebody else's program."""

from __future__ import annotations

import csv
import io
import itertools
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from audits.core.kept import Kept, KeptContrast, kept_by_attack
from audits.core.policy import MAIN_ATTACK, EvidencePolicy, PolicyRefused
from audits.execution.report_words import CONTRASTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

COLUMNS = ("evidence", "run", "look", "attack", "contrast", "arm", "quantity", "index", "value")


def kept_of(row: Mapping[str, Any]) -> Kept | None:
    """Return the kept set of a U-LiRA evidence; None where there is none that can be read."""
    return all_kept_of(row).get(MAIN_ATTACK)


def all_kept_of(row: Mapping[str, Any]) -> dict[str, Kept]:
    """Return the kept set of each attack of an evidence; none where they cannot be read."""
    try:
        return kept_by_attack(row["payload"])
    except (AttributeError, KeyError, TypeError, ValueError):
        return {}


def policy_of(findings: Mapping[str, Any]) -> EvidencePolicy | None:
    """Return the policy that was fixed for a case; None where it is not one of this version."""
    try:
        return EvidencePolicy.from_dict(findings["policy"])
    except PolicyRefused:
        return None


def scores_csv(findings: Mapping[str, Any]) -> str:
    """Return every kept number of every attack on shadow models, one per line; or nothing.

    ``average`` is the share of records guessed right under one model, ``subject`` its summed
    log-likelihood ratio, ``right`` the number of models under which one record, at a random
    place, was guessed right. Where there are several people, ``subject`` also has the sums of
    each, at the index ``person.model``; ``record`` is what single records' Gaussian bound needs.
    With the policy and the accuracies, which are in the record, every verdict recomputes from
    these.
    """
    lines = [line for row in findings["evidence"] for line in _lines(row)]
    if not lines:
        return ""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    table.writerows(lines)
    return text.getvalue()


def _lines(row: Mapping[str, Any]) -> Iterator[list[Any]]:
    found = all_kept_of(row) if row["kind"] == "U_LIRA" else {}
    for attack, name in itertools.product(found, CONTRASTS):
        contrast = getattr(found[attack], name)
        if contrast is None:
            continue
        for field in fields(KeptContrast):
            quantity, _, arm = field.name.partition("_")
            for index, value in _numbers(getattr(contrast, field.name)):
                yield [
                    row["evidence"],
                    row["run"],
                    row["look"],
                    attack,
                    name,
                    arm,
                    quantity.removesuffix("s"),
                    index,
                    repr(value),
                ]


def _numbers(values: Any) -> Iterator[tuple[str, float]]:  # noqa: ANN401  (any field of the kept)
    """Yield each number with its place: model, or ``subject.model`` where there are several."""
    if not isinstance(values, tuple):
        values = () if values is None else (values,)
    for place, value in enumerate(values):
        if isinstance(value, tuple):
            yield from ((f"{place}.{inner}", each) for inner, each in enumerate(value))
        else:
            yield str(place), value
