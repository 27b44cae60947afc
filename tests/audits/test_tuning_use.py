"""Which searches are used for a request, and that what was frozen stays as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from pyroaring import BitMap

from audits.models import ErasureRequest
from audits.queries.tunings import not_as_logged
from lineage.core.bitmaps import encode
from lineage.queries.membership import members
from lineage.queries.subjects import owners_of
from tests.append_only import without_triggers
from tests.audits import world as worlds
from tests.audits.searches import frozen, keep, tune
from tests.audits.world import ADA, BERT, CLEO, NOW, runs
from unlearning.core.proxy_people import forgotten
from unlearning.models import Tuning, TuningTrial
from unlearning.queries.tunings import digest_of, forgotten_by
from unlearning.queries.tunings import frozen as frozen_for

if TYPE_CHECKING:
    from django.db.models import Model


pytestmark = pytest.mark.django_db


def test_settings_of_the_installation_go_before_what_was_found(world, lot, settings):
    settings.EXPUNGE_METHOD = "finetune"
    settings.EXPUNGE_METHOD_SETTINGS = {"epochs": 1}
    world.train("base", world.snapshot(ADA, BERT, CLEO))
    frozen(world, lot)
    first = runs(world.erased())[0]
    assert (first.tuning, first.hyperparameters) == (None, {"epochs": 1})


def known(tuning: Tuning, **other: Any) -> list[Tuning]:  # noqa: ANN401  (of the query)
    given: dict[str, Any] = {
        "method": "finetune",
        "recipe_digest": tuning.recipe_digest,
        "dataset": tuning.snapshot.dataset,
        "before": timezone.now(),
    }
    return list(frozen_for(**given | other))


def test_another_method_recipe_or_data_set_is_not_helped_by_it_nor_an_earlier_request(world, lot):
    found = frozen(world, lot)
    assert known(found) == [found]
    assert known(found, method="scrub") == []
    assert known(found, recipe_digest="0" * 64) == []
    assert known(found, dataset=worlds.imported("others", [])) == []
    assert known(found, before=found.frozen_at) == []


@pytest.mark.parametrize(("person", "version"), [(ADA, 1), (BERT, 2)])
def test_numbers_are_not_used_for_a_person_whom_the_proxies_forgot(
    world, settings, many, person, version
):
    settings.EXPUNGE_METHOD = "finetune"
    worlds.imported("digits", many)
    everybody = world.take(BitMap(range(60 + len(many))))
    world.train("base", everybody)
    ada, both = world.owned(ADA), world.owned(ADA, BERT)
    of_others = next(seed for seed in range(99) if not both & drawn(everybody, seed))
    of_ada = next(seed for seed in range(99) if both & drawn(everybody, seed) == ada)
    for seed in (of_others, of_ada):
        frozen(world, everybody, "--seed", str(seed))
    (run,) = runs(planned_case(world, person))
    assert run.tuning is not None
    assert run.tuning.version == version


def test_the_plan_says_why_numbers_are_not_used(world, settings, client, many):
    settings.EXPUNGE_METHOD = "finetune"
    worlds.imported("digits", many)
    everybody = world.take(BitMap(range(60 + len(many))))
    world.train("base", everybody)
    of_ada = next(seed for seed in range(99) if world.owned(ADA) <= drawn(everybody, seed))
    frozen(world, everybody, "--seed", str(of_ada))
    case = planned_case(world, ADA)
    (run,), (row,) = runs(case), case.plan["affected"]
    assert (run.method, run.tuning, run.hyperparameters) == ("finetune", None, {})
    assert row["untuned"] == (
        "Its own defaults are used: the proxies of search v1 forget records of this request."
    )
    client.force_login(worlds.officer())
    assert row["untuned"] in client.get(f"/cases/{case.pk}/").content.decode()


def drawn(snapshot, seed: int) -> BitMap:
    """Whom a search with this seed forgets."""
    return BitMap(forgotten(owners_of(snapshot.space, members(snapshot)), seed=seed))


def planned_case(world, person: str) -> ErasureRequest:
    case = world.accepted(person)
    world.work(until=lambda: world.current(case).plan)
    return ErasureRequest.objects.get(pk=case.pk)


def test_what_was_frozen_after_a_request_came_is_not_used_for_it(world, lot, settings):
    settings.EXPUNGE_METHOD = "finetune"
    world.train("base", world.snapshot(ADA, BERT, CLEO))
    asked = world.ask()
    frozen(world, lot)
    case = world.accept(world.wake(asked))
    world.work(until=lambda: world.current(case).plan)
    (run,) = runs(world.current(case))
    assert (run.method, run.tuning) == ("finetune", None)


@pytest.mark.parametrize("changed", ["hyperparameters", "forget", "trial", "both"])
def test_what_is_not_what_was_logged_is_not_used(world, lot, settings, changed):
    settings.EXPUNGE_METHOD = "finetune"
    world.train("base", world.snapshot(ADA, BERT, CLEO))
    tuning = frozen(world, lot)
    with without_triggers(connection):
        if changed == "trial":
            tuning.trials.filter(number=1).update(hyperparameters={"epochs": 1})
        elif changed == "forget":
            Tuning.objects.update(forget=encode(BitMap()))
        else:
            Tuning.objects.update(hyperparameters={"epochs": 1})
        tuning.refresh_from_db()
        if changed == "both":
            Tuning.objects.update(digest=digest_of(tuning))
    case = planned_case(world, ADA)
    (run,), (row,) = runs(case), case.plan["affected"]
    assert (run.tuning, run.hyperparameters) == (None, {})
    assert row["untuned"] == (
        "Its own defaults are used: search v1 is not what the log says was frozen."
    )


def test_what_the_log_does_not_know_is_not_used(world, lot):
    tuning = tune(lot, "--trials", "1")
    assert not_as_logged(keep(tuning, ended=1)) == "the log does not know of search v1"


@pytest.mark.database
def test_the_database_refuses_to_change_what_is_over(world, lot):
    tuning = tune(lot, "--trials", "1")
    keep(tuning, ended=1)
    searches, trials = Tuning.objects.all(), TuningTrial.objects.all()
    for change in (
        lambda: searches.update(hyperparameters={"epochs": 9}),
        lambda: searches.update(state="SEARCHING"),
        lambda: searches._raw_delete(connection.alias),
        lambda: trials.update(values=[0.0] * 4),
        lambda: trials._raw_delete(connection.alias),
        lambda: trials.create(tuning=tuning, number=7, hyperparameters={}, ended_at=NOW),
        lambda: replaced(Tuning),
        lambda: replaced(TuningTrial),
    ):
        with (
            pytest.raises(IntegrityError, match=r"append-only|duplicate key"),
            transaction.atomic(),
        ):
            change()
    tuning.refresh_from_db()
    assert (tuning.digest, trials.count()) == (digest_of(tuning), 1)


@pytest.mark.database
@pytest.mark.parametrize("model", [Tuning, TuningTrial])
def test_the_tables_cannot_be_truncated(db, model):
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has no TRUNCATE")
    with (
        pytest.raises(IntegrityError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"TRUNCATE {model._meta.db_table} CASCADE")


def replaced(model: type[Model]) -> None:
    table = model._meta.db_table
    verb = "INSERT OR REPLACE" if connection.vendor == "sqlite" else "INSERT"
    with connection.cursor() as cursor:
        cursor.execute(f"{verb} INTO {table} SELECT * FROM {table}")


@pytest.mark.parametrize(
    ("method", "reason"),
    [
        ("conv_transpose", "edits convolutions over overlapping square patches"),
        ("scrub_rewind", "needs records never trained on, which no audit uses"),
        ("unsir", "forgets whole classes, and a person's records are none"),
    ],
)
def test_what_a_method_cannot_do_is_done_exactly_and_the_plan_says_why(
    world, settings, client, method, reason
):
    settings.EXPUNGE_METHOD = method
    world.train("base", world.snapshot(ADA, BERT, CLEO))
    case = world.erased()
    assert [run.method for run in runs(case)] == ["retrain"]
    (row,) = case.plan["affected"]
    assert row["method"] == "retrain"
    assert reason in row["method_refused"]
    assert case.status == "SEALED"
    client.force_login(worlds.officer())
    assert "Trained again: " in client.get(f"/cases/{case.pk}/").content.decode()


def test_a_later_search_is_a_new_version(world, lot):
    first, second = frozen(world, lot), frozen(world, lot, "--seed", "1")
    assert (first.version, second.version) == (1, 2)
    assert known(first) == [second, first]
    assert forgotten_by(first) != forgotten_by(second)
