"""A process goes on with the next version of a model without a restart, over a real server."""

from __future__ import annotations

import threading

import pytest
from django.utils import timezone

from audits.models import LogLeaf, QueryCount, Reading
from audits.queries.limits import limits_of
from audits.queries.serving import exposed, followers
from audits.services.serving import TooEarly, give_version, note_gone
from expunge.guard import ServingGuard
from expunge.serving import NothingServed, WeightsDiffer
from lineage.models import ModelVersion
from lineage.queries.artefacts import weights_of
from lineage.services import versions
from tests.audits.rolling.serving import HALVES, digest, who
from tests.audits.world import ADA, BERT
from tests.lineage.remote import key

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.filterwarnings("ignore:No directory at"),
]


def replaced(world, before):
    """The version after an erasure, with the one before out of use."""
    after = world.bare("base", world.snapshot(BERT), revision_of=before)
    versions.withdraw(version=before, by_case=None, now=timezone.now())
    return after


def test_a_process_goes_on_with_the_version_after_an_erasure(world, base, rolls):
    served = rolls().open()
    assert who(served) == digest(base)
    assert served.answer(lambda _: HALVES).tolist() == [[0.12, 0.88]]
    after = replaced(world, base)
    with pytest.raises(NothingServed, match="No version of base is served now: base v1 is withd"):
        served.answer(lambda _: HALVES)
    served.poll()
    assert who(served) == digest(after)
    assert served.version == str(after.pk)
    rows = Reading.objects.order_by("since").values_list("version", "followed")
    assert list(rows) == [(base.pk, False), (after.pk, True)]
    assert exposed() == ()
    assert [one.versions for one in followers()] == [("base v1", "base v2")]
    assert LogLeaf.objects.filter(type="version_followed").count() == 1


def test_a_whole_erasure_is_followed_in_the_background(world, rolls):
    before = world.train("base", world.snapshot(ADA, BERT))
    now, loaded = [0.0], threading.Semaphore(0)

    def load(weights):
        loaded.release()
        return weights

    served = rolls(background=True, every=600, clock=lambda: now[0], load=load).open()
    assert who(served) == digest(before)
    case = world.erased()
    assert case.status == "SEALED"
    after = digest(ModelVersion.objects.get(model_name="base", version=2))
    loaded.acquire()
    now[0] = 600  # on one connection to a database in memory, only one thread may ask
    with pytest.raises(NothingServed, match="base v1 is destroyed"):
        who(served)
    assert loaded.acquire(timeout=20)
    served.close()
    assert who(served) == after
    served.answer(lambda _: HALVES, caller="alice")
    assert not QueryCount.objects.exists()  # the thread reports, and the end
    served.close()
    assert QueryCount.objects.get().answers == 1
    said = " ".join(limits_of(case, list(case.runs.all())))
    assert "1 server(s) of the controller may go on from the version before this erasure" in said
    assert "No API key of this platform is given" not in said


def test_a_key_without_the_scope_ends_at_the_first_erasure(world, base, rolls):
    served = rolls(api_key=key("serve", name="partner")).open()
    replaced(world, base)
    served.poll()
    with pytest.raises(NothingServed, match="partner has had base v1, and base v2 differs from"):
        who(served)
    assert Reading.objects.count() == 1


def test_both_sides_of_an_erasure_are_never_had_at_once(world, base):
    def give(version):
        given = {"reader": "shop", "version_id": version.pk, "follows": True}
        return give_version(**given, now=timezone.now())

    give(base)
    after = world.bare("base", world.snapshot(BERT), revision_of=base)
    with pytest.raises(TooEarly, match="base v1 is in use; base v2 is given once it is not"):
        give(after)
    assert note_gone(reader="shop", model_name="base", now=timezone.now()) == []
    versions.withdraw(version=base, by_case=None, now=timezone.now())
    with pytest.raises(TooEarly, match="shop has not said that nothing of base v1 is left"):
        give(after)
    assert note_gone(reader="shop", model_name="base", now=timezone.now()) == [base]
    assert give(after) == after


def test_answers_that_are_too_exact_are_not_gone_on_with(world, base, rolls, settings):
    served = rolls().open()
    replaced(world, base)
    settings.EXPUNGE_OUTPUTS = "FULL"
    served.poll()
    with pytest.raises(NothingServed, match="EXPUNGE_OUTPUTS is FULL, by which those who ask"):
        who(served)
    settings.EXPUNGE_ROLL_OVER = "ANY"
    served.poll()
    assert served.answer(lambda _: HALVES).tolist() == HALVES


def test_calls_that_had_begun_end_with_the_version_before_and_then_it_goes(world, base, rolls):
    served = rolls(drain=0).open()
    begun, go, told = threading.Event(), threading.Event(), []

    def slow(model):
        begun.set()
        go.wait(10)
        return HALVES

    call = threading.Thread(target=lambda: told.append(served.answer(slow).tolist()))
    call.start()
    begun.wait(10)
    after = replaced(world, base)
    served.poll()
    with pytest.raises(NothingServed, match="calls of the version before have not ended"):
        who(served)
    assert Reading.objects.get().gone_at is None
    go.set()
    call.join()
    served.poll()
    assert told == [[[0.12, 0.88]]]
    assert who(served) == digest(after)
    assert Reading.objects.get(version=base).gone_at


def test_a_newer_version_that_replaces_none_takes_over_without_a_gap(world, base, rolls):
    served = rolls().open()
    newer = world.bare("base", world.snapshot(BERT))
    assert who(served) == digest(base)
    served.poll()
    assert who(served) == digest(newer)
    assert served._leaving == []
    assert not Reading.objects.filter(followed=True).exists()


def test_weights_with_another_digest_are_not_loaded(world, base, live_server, monkeypatch):
    guard = ServingGuard(url=live_server.url, api_key=key("serve"), version=str(base.pk))
    assert guard.verified(weights_of(base)) == weights_of(base)
    monkeypatch.setattr(guard._connection, "get_bytes", lambda _: b"swapped")
    with pytest.raises(WeightsDiffer, match="The weights of base v1 have the SHA-256"):
        guard.weights()


def test_weights_are_kept_on_disk_verified_and_deleted_with_their_version(
    world, base, rolls, tmp_path, monkeypatch
):
    def kept():
        return {path.stem: path for path in tmp_path.rglob("*.safetensors")}

    rolls(cache=tmp_path).open()
    kept()[digest(base)].write_bytes(b"altered")
    rolls(cache=tmp_path).open()
    assert kept()[digest(base)].read_bytes() == weights_of(base)
    guard = rolls(cache=tmp_path)._guard(str(base.pk))
    monkeypatch.setattr(guard._connection, "get_bytes", lambda _: b"not asked")
    assert guard.weights() == weights_of(base)
    after = replaced(world, base)
    served = rolls(cache=tmp_path).open()  # the process was started anew
    assert who(served) == digest(after)
    assert set(kept()) == {digest(after)}


def test_a_model_whose_name_has_slashes_is_served_counted_and_gone(world, rolls, settings):
    base = world.bare("org/faces", world.snapshot(ADA, BERT))
    settings.EXPUNGE_QUERIES_PER_DAY = 5
    served = rolls(model="org/faces").open()
    served.answer(lambda _: HALVES, caller="alice")
    assert QueryCount.objects.get().answers == 1
    after = world.bare("org/faces", world.snapshot(BERT), revision_of=base)
    versions.withdraw(version=base, by_case=None, now=timezone.now())
    for _ in range(2):
        served.poll()
    assert who(served) == digest(after)
    assert Reading.objects.get(version=base).gone_at
