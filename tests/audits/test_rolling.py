"""A process goes on with the next version of a model without a restart, over a real server."""

from __future__ import annotations

import threading
from hashlib import sha256
from typing import Any

import pytest
from django.utils import timezone

from audits.models import LogLeaf, QueryCount, Reading
from audits.queries.limits import limits_of
from audits.queries.serving import exposed, followers
from audits.services.serving import TooEarly, give_version, note_gone
from expunge.connection import KeyNotAccepted, PlatformAway, ReportRefused
from expunge.guard import ServingGuard
from expunge.serving import NothingServed, Rolling, WeightsDiffer
from lineage.models import ModelVersion
from lineage.queries.artefacts import weights_of
from lineage.services import versions
from tests.audits.world import ADA, BERT
from tests.lineage.remote import key

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.filterwarnings("ignore:No directory at"),
]
HALVES = [[0.123456, 0.876544]]


@pytest.fixture(autouse=True)
def _coarse(settings):
    settings.EXPUNGE_OUTPUTS = "2"


@pytest.fixture
def base(world):
    return world.bare("base", world.snapshot(ADA, BERT))


@pytest.fixture
def rolls(live_server):
    """Make what serves; it is closed when the test ends."""
    made: list[Rolling[bytes]] = []

    def rolling(**more: Any) -> Rolling[bytes]:  # noqa: ANN401  (fields of Rolling)
        given: dict[str, Any] = {
            "url": live_server.url,
            "api_key": key("serve", "serve:next", name="shop"),
            "model": "base",
            "load": lambda weights: weights,
            "every": 0,
            "background": False,
            **more,
        }
        made.append(Rolling(**given))
        return made[-1]

    yield rolling
    for one in made:
        one.close()


def replaced(world, before):
    """The version after an erasure, with the one before out of use."""
    after = world.bare("base", world.snapshot(BERT), revision_of=before)
    versions.withdraw(version=before, by_case=None, now=timezone.now())
    return after


def who(served):
    """The digest of the weights that answer now."""
    seen = []

    def ask(model):
        seen.append(sha256(model).hexdigest())
        return HALVES

    served.answer(ask)
    return seen[0]


def digest(version):
    return sha256(weights_of(version)).hexdigest()


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


def test_a_version_that_cannot_be_loaded_leaves_the_one_before_in_place(world, base, rolls):
    now, tries = [0.0], []

    def load(weights):
        tries.append(weights)
        if len(tries) == 2:
            raise RuntimeError("no memory")
        return weights

    served = rolls(load=load, every=60, clock=lambda: now[0]).open()
    newer = world.bare("base", world.snapshot(BERT))
    served.poll()
    served.poll()  # not again at once
    assert len(tries) == 2
    assert who(served) == digest(base)
    now[0] = 61
    served.poll()
    assert who(served) == digest(newer)


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


def test_a_platform_that_is_away_is_asked_once_in_a_while_and_borne(world, base, rolls):
    now = [0.0]
    served = rolls(every=60, patience=600, clock=lambda: now[0]).open()
    held = served._held.guard
    asked = []

    def away(address):
        asked.append(address)
        raise PlatformAway("nobody there")

    held._connection.get = served._connection.get = away
    for now[0] in (60, 61, 119, 120, 121):
        assert who(served) == digest(base)
    assert len(asked) == 2
    served.poll()
    now[0] = 600
    with pytest.raises(PlatformAway):
        who(served)


def test_a_key_that_is_revoked_stops_every_call(world, base, rolls, monkeypatch):
    served = rolls().open()

    def refused(address):
        raise KeyNotAccepted("revoked")

    monkeypatch.setattr(served._held.guard._connection, "get", refused)
    for _ in range(2):
        with pytest.raises(KeyNotAccepted):
            who(served)


def test_a_version_in_use_is_not_gone(world, base, rolls):
    rolls().open()
    assert note_gone(reader="shop", model_name="base", now=timezone.now()) == []
    assert Reading.objects.get().gone_at is None


def test_a_key_that_is_refused_is_asked_about_once_in_a_while(world, base, rolls):
    now, asked = [0.0], []
    served = rolls(every=60, clock=lambda: now[0]).open()
    connection = served._held.guard._connection
    answered = connection.get

    def refused(address):
        asked.append(address)
        raise KeyNotAccepted("revoked")

    connection.get = refused
    for now[0] in (60, 61, 119):
        with pytest.raises(KeyNotAccepted, match="revoked"):
            who(served)
    assert len(asked) == 1
    connection.get = answered
    now[0] = 121
    assert who(served) == digest(base)


def test_a_guard_that_was_refused_from_the_first_asks_once_in_a_while(monkeypatch):
    asked = []
    guard = ServingGuard(url="http://127.0.0.1:9", api_key="k", version="v", clock=lambda: 5.0)

    def refused(address, body):
        asked.append(address)
        raise ReportRefused("no such version")

    monkeypatch.setattr(guard._connection, "post", refused)
    for _ in range(3):
        with pytest.raises(ReportRefused, match="no such version"):
            guard.answer(HALVES)
    assert asked == ["versions/v/open"]


def test_an_answer_is_as_old_as_its_question(world, base, rolls):
    now, asked = [0.0], []
    served = rolls(every=60, clock=lambda: now[0]).open()
    connection = served._held.guard._connection
    answered = connection.get

    def slow(address):
        asked.append(now[0])
        found = answered(address)
        now[0] += 30  # it was withdrawn on the way, and the answer does not say so
        return found

    connection.get = slow
    for now[0] in (60, 119, 120):
        who(served)
    assert asked == [60, 120]


def test_the_thread_goes_on_whatever_goes_wrong(world, base, rolls, monkeypatch):
    served = rolls(background=True, every=0.1)
    looks = threading.Semaphore(0)

    def broken():
        looks.release()
        raise RuntimeError("no counts")

    monkeypatch.setattr(served._counting, "report", broken)
    # One connection to a database in memory is for one thread, and this is about what follows.
    monkeypatch.setattr(served, "poll", lambda: None)
    served.open()
    assert all(looks.acquire(timeout=10) for _ in range(3))
    monkeypatch.undo()


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
