"""No reader is given the versions before and after an erasure, over a real server."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from django.urls import reverse
from django.utils import timezone

from audits.models import Reading
from audits.queries.limits import limits_of
from audits.queries.serving import VersionNotHere, exposed
from audits.services.serving import ReaderRefused, VersionNotServed, give_version
from expunge import outputs
from expunge.connection import KeyNotAccepted, PlatformAway, ReportRefused
from expunge.serving import ServingGuard, VersionWithdrawn, newest
from lineage.models import ModelVersion
from lineage.queries.artefacts import weights_of
from tests.audits.world import ADA, BERT, CLEO
from tests.lineage.remote import key
from unlearning.core.release.readers import Reading as Read
from unlearning.core.release.readers import exposures
from unlearning.services import runs as runs_services

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.filterwarnings("ignore:No directory at"),
]
HALVES = [[0.123456, 0.876544]]


@pytest.fixture
def base(world):
    return world.train("base", world.snapshot(ADA, BERT, CLEO))


def guard(server, version, secret, **more: Any):  # noqa: ANN401  (fields of ServingGuard)
    return ServingGuard(url=server.url, api_key=secret, version=str(version.pk), **more)


def test_a_process_serves_the_newest_version_until_it_is_withdrawn(world, base, live_server):
    secret = key("serve", name="shop")
    assert newest(live_server.url, secret, "base") == str(base.pk)
    served = guard(live_server, base, secret, every=0)
    assert served.weights() == weights_of(base)
    assert served.answer(HALVES).tolist() == HALVES
    assert world.erased().status == "SEALED"
    with pytest.raises(VersionWithdrawn, match="base v1 is destroyed: stop serving it"):
        served.answer(HALVES)


def test_threat_7_a_key_that_had_the_version_before_is_refused_the_one_after(
    world, base, live_server
):
    old, fresh = key("serve", name="shop"), key("serve", name="shop 2")
    guard(live_server, base, old).weights()
    world.erased()
    after = ModelVersion.objects.get(version=2)
    with pytest.raises(KeyNotAccepted, match="shop has had base v1, and base v2 differs from it"):
        guard(live_server, after, old).weights()
    with pytest.raises(KeyNotAccepted, match="shop has had base v1"):
        guard(live_server, after, key("serve", name="shop")).open()  # a new key is no new reader
    assert guard(live_server, after, fresh).weights() == weights_of(after)
    history = {
        reader: [
            Read(version=str(one.version), since=number)
            for number, one in enumerate(Reading.objects.filter(reader=reader))
        ]
        for reader in ("shop", "shop 2")
    }
    assert exposures(history, {"base v2": "base v1"}) == ()


def test_what_was_never_served_and_what_is_not_there_is_refused(world, base, live_server):
    secret = key("serve")
    ModelVersion.objects.update(state="CANDIDATE")
    with pytest.raises(ReportRefused, match="base v1 is candidate, not released; only active"):
        guard(live_server, base, secret).open()
    with pytest.raises(ReportRefused, match="Not here: a version of base that is in use"):
        newest(live_server.url, secret, "base")
    with pytest.raises(KeyNotAccepted, match="does not have the scope serve"):
        guard(live_server, base, key("capture")).open()
    assert not Reading.objects.exists()


def test_shadow_models_and_strangers_are_not_there(world, base):
    ModelVersion.objects.update(kind="SHADOW")
    with pytest.raises(VersionNotHere, match="Not here: the model version"):
        give_version(reader="shop", version_id=base.pk, now=timezone.now())


def test_a_reader_is_noted_once_and_other_models_are_other_models(world, base):
    other = world.bare("other", world.snapshot(BERT))
    for _ in range(2):
        for version in (base, other):
            give_version(reader="shop", version_id=version.pk, now=timezone.now())
    assert Reading.objects.count() == 2
    world.erased()
    after = ModelVersion.objects.get(model_name="base", version=2)
    with pytest.raises(VersionNotServed, match="base v1 is destroyed"):
        give_version(reader="shop", version_id=base.pk, now=timezone.now())
    with pytest.raises(ReaderRefused, match="give base v2 to a reader that has not"):
        give_version(reader="shop", version_id=after.pk, now=timezone.now())


def test_a_platform_that_is_away_is_borne_for_a_while(world, base, live_server):
    now = [0.0]
    served = guard(live_server, base, key("serve"), every=60, patience=600, clock=lambda: now[0])
    served.check()
    served._connection.url = "http://127.0.0.1:9"
    now[0] = 599
    served.check()
    now[0] = 601
    with pytest.raises(PlatformAway):
        served.check()


def test_the_platform_says_how_exactly_its_versions_answer(world, base, live_server, settings):
    settings.EXPUNGE_OUTPUTS = "2"
    served = guard(live_server, base, key("serve"))
    assert served.answer(HALVES).tolist() == [[0.12, 0.88]]


@pytest.mark.parametrize(
    ("rule", "told"),
    [("FULL", HALVES), ("2", [[0.12, 0.88]]), ("1", [[0.1, 0.9]]), ("LABELS", [[0.0, 1.0]])],
)
def test_answers_are_told_by_rule(rule, told):
    assert np.array_equal(outputs.told(HALVES, rule), told)


@pytest.mark.parametrize("rule", ["", "0", "-1", "full"])
def test_a_rule_that_is_none_is_refused_by_name(rule):
    with pytest.raises(ValueError, match="allowed are FULL, LABELS and a number of decimals"):
        outputs.told(HALVES, rule)


def test_a_reader_of_two_versions_of_which_one_became_a_replacement_is_told(
    world, base, admin_client
):
    other = world.train("base", world.snapshot(BERT, CLEO))
    for version in (base, other):
        give_version(reader="shop", version_id=version.pk, now=timezone.now())
    assert exposed() == ()
    case = world.accepted(CLEO)
    run = runs_services.queue_run(
        target=base,
        space=world.dataset.space,
        forget=world.owned(ADA),
        method="retrain",
        hyperparameters={},
        seed=1,
        waiting=True,
        now=timezone.now(),
    )
    runs_services.decide_outside(run_id=run.pk, replacement=other, now=timezone.now())
    (found,) = exposed()
    run.refresh_from_db()
    said = " ".join(limits_of(case, [run]))
    assert "1 reader(s) had versions of both sides" in said
    assert "No API key" not in said
    assert (found.reader, found.versions, found.at_once) == ("shop", ("base v1", "base v2"), True)
    page = admin_client.get(reverse("audits:request_list")).content.decode()
    assert "shop could read base v1 and base v2 at the same time" in page


def test_what_serves_meanwhile_is_one_of_the_versions_that_replace_one_another(world, base):
    meanwhile = world.bare("base", world.snapshot(BERT), revision_of=base)
    give_version(reader="shop", version_id=base.pk, now=timezone.now())
    with pytest.raises(ReaderRefused, match="shop has had base v1, and base v2 differs from it"):
        give_version(reader="shop", version_id=meanwhile.pk, now=timezone.now())
