"""Records as staff name them: by number, or as those of some people."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pyroaring import BitMap

from lineage.core.ordinal_list import OrdinalsUnreadable, parse
from lineage.core.worded import worded
from lineage.models import RecordContent
from lineage.queries.contents import batches
from lineage.queries.sources import NoTrainingSnapshot, training_snapshot
from lineage.queries.subjects import find_subject, records_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lineage.models import Dataset, ModelVersion, OrdinalSpace

KINDS = ("EMAIL", "EXTERNAL")


class NobodyFound(ValueError):
    """A person who was named has no records there; the sentence says in which line."""


class OtherRecords(ValueError):
    """The data set that was named is not that of the version; the sentence names both."""


# Why nothing was named, each with a sentence.
NOT_NAMED = (NobodyFound, NoTrainingSnapshot, OrdinalsUnreadable, OtherRecords)


def space_of(version: ModelVersion, dataset: Dataset | None) -> OrdinalSpace:
    """Return the space of a version's training records, by which they are numbered.

    Raises:
        NoTrainingSnapshot: the version has none.
        OtherRecords: ``dataset`` is in another space, where the same numbers are other records.
    """
    space = training_snapshot(version).space
    if dataset and dataset.space_id != space.pk:
        raise OtherRecords(
            worded(
                "%(version)s was trained on records of %(space)s, and %(dataset)s is in "
                "%(other)s: the same numbers are other records there. Name only one.",
                version=version,
                space=space.name,
                dataset=dataset.name,
                other=dataset.space.name,
            )
        )
    return space


def listed(text: str) -> BitMap:
    """Return the records of a list: numbers and ranges, with commas or one a line.

    Raises:
        OrdinalsUnreadable: the sentence names the part that is wrong.
    """
    lines = [line.strip().strip(",") for line in text.splitlines()]
    wanted = ",".join(line for line in lines if line)
    return parse(wanted) if wanted else BitMap()


def of_people(space: OrdinalSpace, text: str) -> BitMap:
    """Return the records of people in a space, by an identifier of each, one a line.

    Raises:
        NobodyFound: an identifier belongs to nobody, or to somebody without records there.
    """
    found = BitMap()
    for number, line in enumerate(text.splitlines(), start=1):
        if identifier := line.strip():
            held = _held(space, identifier)
            if not held:
                raise NobodyFound(
                    worded(
                        "Line %(number)s names %(identifier)s, of whom %(name)s has no records.",
                        number=number,
                        identifier=repr(identifier),
                        name=space.name,
                    )
                )
            found |= held
    return found


def _held(space: OrdinalSpace, identifier: str) -> BitMap:
    people = (find_subject(kind, identifier) for kind in KINDS)
    subject = next((one for one in people if one), None)
    return records_of(subject).get(space, BitMap()) if subject else BitMap()


def labels_of(space: OrdinalSpace, ordinals: Iterable[int]) -> dict[int, str]:
    """Return the label of each record that has one here."""
    found: dict[int, str] = {}
    for batch in batches(ordinals):
        rows = RecordContent.objects.filter(space=space, ordinal__in=batch)
        found.update(rows.values_list("ordinal", "target"))
    return found


def label_counts(space: OrdinalSpace, ordinals: BitMap) -> list[tuple[str, int]]:
    """Return how many of some records have each label, the most frequent first."""
    return Counter(labels_of(space, ordinals).values()).most_common()
