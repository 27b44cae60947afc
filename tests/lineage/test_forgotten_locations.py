"""Where erased records lay is forgotten: what was read there is not known from then on."""

from __future__ import annotations

import uuid

import pytest
from pyroaring import BitMap

from lineage import keys
from lineage.core.identifiers import location_digest
from lineage.models import NamedLocation, ReceivedEvent, RecordLocation, Run
from lineage.queries.closure import affected
from lineage.services.import_rows import Row
from lineage.services.importing import ensure_dataset, import_records
from lineage.services.purge import erase_records
from tests.lineage.events import RUN, event, named, names, send, trained_on

pytestmark = [pytest.mark.django_db, pytest.mark.database]
FILES = ("s3://bucket/0", "s3://bucket/1")


def imported(now, at, *, name="faces", file=FILES[0]):
    row = Row(line=at, key=f"k{at}", subject=f"p{at}@example.org", content=None, location=file)
    import_records(dataset_name=name, rows=[row], now=now)
    return ensure_dataset(name=name).space


def erased(now, *, hard=False):
    """Return the space of a record that was read at the first file, and erased."""
    space = imported(now, 0)
    imported(now, 1, file=FILES[1])
    send(trained_on(named("faces", files=FILES)), now=now)
    assert Run.objects.get().capture_level == "REPORTED"
    erase_records(case_id=RUN, space=space, ordinals=BitMap([0]), now=now, hard=hard)
    return space


def possible(space, ordinal):
    return [str(version) for version in affected(space, BitMap([ordinal])).unknown]


@pytest.mark.parametrize("hard", [False, True])
@pytest.mark.parametrize("name", ["faces", "voices"])
def test_a_record_that_is_imported_there_later_may_have_been_read(now, name, hard):
    space = erased(now, hard=hard)
    later = imported(now, 2, name=name)
    assert possible(later, later.next_ordinal - 1) == ["m v1"]
    # what is known stays known
    for ordinal in (0, 1):
        assert names(affected(space, BitMap([ordinal]))) == ["m v1"]


def test_nothing_is_left_by_which_the_location_could_be_found(now):
    erased(now)
    key = keys.get_or_create("location")
    gone, kept = (location_digest(key, file) for file in FILES)
    for table in (NamedLocation, RecordLocation):
        digests = {bytes(one) for one in table.objects.values_list("digest", flat=True)}
        assert gone not in digests
        assert kept in digests


def test_what_else_is_told_of_the_run_makes_it_no_more_known(now):
    erased(now)
    send(event("OTHER", at=1, inputs=[named("faces", files=FILES[1:])]), now=now)
    assert Run.objects.get().capture_level == "NONE"


def test_it_is_told_once_how_many_were_forgotten(now):
    """An event may name a location in two inputs, and the erasure may be repeated."""
    space = imported(now, 0)
    inputs = [named(name, files=FILES[:1]) for name in ("faces", "voices")]
    send(trained_on(*inputs), now=now)
    for _ in range(2):
        erase_records(case_id=uuid.UUID(int=3), space=space, ordinals=BitMap([0]), now=now)
    assert list(NamedLocation.objects.values_list("matched", "due")) == [(False, False)] * 2
    (body,) = ReceivedEvent.objects.values_list("body", flat=True)
    assert [one["unmatched"] for one in body["inputs"]] == [1, 1]
