"""Events and imports in any order: who is affected, and what is out of use, is the naive answer.

Worlds of data and models that came from faces, from files and from one another. A file holds
records of one data set or of two, imported before, between or after the events that name it.
Trainings of ours on data that somebody outside says to have written are possibly affected by what
that came from, never affected for sure, and never out of use.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from lineage.models import ModelVersion, OrdinalSpace
from lineage.queries.closure import affected
from lineage.services.import_rows import Row
from lineage.services.importing import ensure_dataset, import_records
from lineage.services.purge import erase_records
from tests.lineage.builders import data, filled, snapshot, trained
from tests.lineage.events import event, faces, model, named, send

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
pytestmark = [pytest.mark.django_db, pytest.mark.database]
ERASED = ("face", 0)
FILES, SETS = (0, 1), ("voices", "songs")


@dataclass(frozen=True)
class Made:
    """What a run wrote, and from what: faces, files, or what others wrote, by place.

    A version may be left out where it is written or where it is read; there is one state only.
    """

    model: bool
    versions: tuple[str, str]
    sources: frozenset[tuple[str, int]]


@dataclass(frozen=True)
class Ours:
    """A training of ours on records of ours in the data set that a run wrote, by its place."""

    place: int

    def train(self) -> None:
        taken = snapshot(filled(f"made{self.place}", 2, NOW), NOW)
        trained(f"ours{self.place}", NOW, data(taken))


@st.composite
def told_worlds(draw):
    made = []
    for at in range(draw(st.integers(1, 5))):
        own = [("made", before) for before in range(at)] * 2
        given = [("face", 0), ("face", 1), *(("file", file) for file in FILES)]
        sources = draw(st.sets(st.sampled_from([*own, *given]), min_size=1, max_size=2))
        versions = draw(st.sampled_from([("1", "1"), ("1", ""), ("", "1"), ("", "")]))
        is_model = draw(st.booleans())
        versions = ("1", "1") if is_model else versions
        made.append(Made(model=is_model, versions=versions, sources=frozenset(sources)))
    held = draw(
        st.lists(st.tuples(st.sampled_from(SETS), st.sampled_from(FILES)), min_size=1, max_size=4)
    )
    acts = [*range(len(made)), *((at, *place) for at, place in enumerate(held))]
    written = [at for at, one in enumerate(made) if not one.model]
    acts += [Ours(at) for at in (draw(st.sets(st.sampled_from(written))) if written else ())]
    return made, draw(st.permutations(acts))


def behind(made, at):
    """Return every face and file that something came from, one step at a time."""
    found: set[tuple[str, int]] = set()
    for kind, place in made[at].sources:
        found |= behind(made, place) if kind == "made" else {(kind, place)}
    return found


def _named(made, kind, place, *, read=True):
    if kind == "face":
        return faces(place)
    if kind == "file":
        return named("voices", files=[f"s3://{place}"])
    write = model if made[place].model else named
    return write(f"made{place}", version=made[place].versions[read])


def _tell(made, at):
    one = event(
        "COMPLETE",
        inputs=[_named(made, *source) for source in sorted(made[at].sources)],
        outputs=[_named(made, "made", at, read=False)],
        run=uuid.UUID(int=at + 1),
    )
    send(one, now=NOW)


def _import(number, name, file):
    row = Row(
        line=1,
        key=f"k{number}",
        subject=f"p{number}@example.org",
        content=None,
        location=f"s3://{file}",
    )
    import_records(dataset_name=name, rows=[row], now=NOW)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(world=told_worlds())
def test_in_any_order_the_answers_are_those_of_the_naive_walk(home, world):
    made, acts = world
    with transaction.atomic():
        space = filled("faces", 2, NOW).space
        erase_records(case_id=uuid.UUID(int=7), space=space, ordinals=BitMap([0]), now=NOW)
        records = {(space.id, at): ("face", at) for at in range(2)}
        for act in acts:
            if isinstance(act, int):
                _tell(made, act)
                continue
            if isinstance(act, Ours):
                act.train()
                continue
            _import(*act)
            held = ensure_dataset(name=act[1]).space
            records[held.id, held.next_ordinal - 1] = ("file", act[2])
        _compare(made, records)
        _compare_ours(made, records, [act.place for act in acts if isinstance(act, Ours)])
        transaction.set_rollback(True)


def _compare(made, records):
    models = {f"made{at}": behind(made, at) for at, one in enumerate(made) if one.model}
    for space, ordinal in records:
        answer = affected(OrdinalSpace.objects.get(id=space), BitMap([ordinal])).versions
        found = {hit.version.model_name for hit in answer}
        source = records[space, ordinal]
        assert found == {name for name, all_of in models.items() if source in all_of}
    told = ModelVersion.objects.exclude(external_id="")
    used = dict(told.values_list("model_name", "state"))
    assert {name for name, state in used.items() if state == "ACTIVE"} == {
        name for name, all_of in models.items() if ERASED not in all_of
    }


def _compare_ours(made, records, places):
    # Where a run tells all that it read, nothing else is possible.
    whole = {kind for one in made for kind, _ in one.sources} == {"face"}
    for space, ordinal in records:
        answer = affected(OrdinalSpace.objects.get(id=space), BitMap([ordinal]))
        source = records[space, ordinal]
        expected = {f"ours{at}" for at in places if source in behind(made, at)}
        found = {version.model_name for version in answer.unknown}
        assert (found == expected) if whole else (found >= expected)
    ours = ModelVersion.objects.filter(external_id="")
    assert set(ours.values_list("state", flat=True)) <= {"ACTIVE"}
