"""Where other lineage tools fail without saying so, these answers are complete.

Each test is named after what was seen when the same question was put to a peer.
"""

from __future__ import annotations

import pytest
from pyroaring import BitMap

from lineage.models import OrdinalSpace, Role
from lineage.queries.closure import affected
from lineage.queries.questions import affected_by, left_without
from lineage.queries.subjects import records_of
from lineage.services.importing import ensure_dataset
from lineage.services.runs import RunPlan, begin_run, finish_derivation
from lineage.services.snapshots import Origin, record_snapshot, take_snapshot
from tests.lineage.builders import base, data, filled, found, snapshot, trained

pytestmark = pytest.mark.django_db


def test_more_than_a_hundred_starting_records_are_all_followed(now):
    """ML Metadata cuts a question with more than 100 start nodes, and says nothing."""
    dataset = filled("faces", 150, now, per_person=150)
    for ordinal in range(150):
        trained(f"m{ordinal}", now, data(snapshot(dataset, now, [ordinal])), weights=b"")
    held = records_of(found("person0@example.org"))
    assert len(affected_by(held)["affected"]) == 150


def test_a_chain_of_more_than_a_hundred_fine_tunes_is_followed_to_its_end(now):
    """ML Metadata stops after 100 hops, and says nothing."""
    dataset = filled("faces", 2, now)
    last = trained("m", now, data(snapshot(dataset, now, [0])), weights=b"")
    for _ in range(160):
        last = trained("m", now, base(last), weights=b"", capture_level="SNAPSHOT")
    hits = affected(dataset.space, BitMap([0])).versions
    assert (len(hits), hits[-1].depth) == (161, 161)


def test_siblings_and_ancestors_of_an_affected_version_are_not_affected(now):
    """Marquez walks both ways: of 993 nodes that it names, 16 are right."""
    dataset = filled("faces", 4, now)
    parent = trained("parent", now, data(snapshot(dataset, now, [2])))
    one = snapshot(dataset, now, [0, 1])
    child = trained("child", now, base(parent), data(one))
    trained("sibling", now, base(parent), data(snapshot(dataset, now, [3])))
    other = trained("on the same data", now, data(one))
    hits = affected_by({dataset.space: BitMap([0])})
    assert [hit["version"] for hit in hits["affected"]] == [str(child.id), str(other.id)]
    assert (hits["possibly_affected"], hits["not_affected"]) == ([], 2)


def test_a_job_that_runs_again_on_other_data_does_not_hide_what_it_read_before(now):
    """Marquez knows only the current version of a job, and so forgets its older inputs."""
    dataset = filled("faces", 4, now)
    old, new = snapshot(dataset, now, [0, 1]), snapshot(dataset, now, [2, 3])
    first = trained("m", now, data(old), procedure="nightly")
    trained("m", now, data(new), procedure="nightly")
    assert [hit.version for hit in affected(dataset.space, BitMap([0])).versions] == [first]


def test_a_digest_tells_any_two_data_sets_apart(now):
    """MLflow's digest sees the first 10,000 elements, cut to 32 bits."""
    dataset = ensure_dataset(name="wide")
    OrdinalSpace.objects.filter(id=dataset.space_id).update(next_ordinal=50_000)
    whole = BitMap(range(50_000))
    digests = {
        take_snapshot(dataset=dataset, ordinals=whole - BitMap([left_out]), now=now).digest
        for left_out in range(10_001, 50_000, 3_500)
    }
    assert len(digests) == 12


def test_two_data_sets_under_one_name_and_version_are_not_merged(now):
    """MLflow keeps one data set for each name and digest: two training sets become one."""
    dataset = filled("faces", 2, now)
    origin = Origin(external_version="abc12345")
    taken = [
        record_snapshot(dataset=dataset, now=now, ordinals=BitMap([at]), origin=origin)
        for at in range(2)
    ]
    versions = [trained("m", now, data(one)) for one in taken]
    for at in range(2):
        (hit,) = affected(dataset.space, BitMap([at])).versions
        assert hit.version == versions[at]


def test_synthetic_data_carries_what_its_generator_learned(now):
    """DataHub refuses an edge from a model to a data set, which breaks the chain there."""
    dataset = filled("faces", 2, now)
    synthetic = filled("synthetic", 2, now)
    generator = trained("generator", now, data(snapshot(dataset, now, [0])))
    run = begin_run(
        plan=RunPlan(activity="SYNTHESISE", inputs=(base(generator, Role.GENERATOR),)), now=now
    )
    made = finish_derivation(run=run, dataset=synthetic, ordinals=BitMap([0, 1]), now=now)
    student = trained("student", now, data(made))
    hits = affected(dataset.space, BitMap([0])).versions
    assert [hit.version for hit in hits] == [generator, student]
    assert [step.role for step in hits[1].path] == ["TRAINING", "GENERATOR", "TRAINING"]
    assert left_without({dataset.space: BitMap([0])})["versions"][1]["trained_on"] == 0
