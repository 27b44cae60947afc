"""A replacement that was trained on another machine, from the view to the sealed case."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from django.utils import timezone
from safetensors.torch import save
from torch.utils.data import DataLoader

from audits import workflow
from audits.queries import limit_sentences, limits
from expunge import capture
from expunge.remote_view import remote_view
from lineage.models import ModelVersion
from lineage.queries.artefacts import weights_of
from lineage.services.versions import destroy_version
from tests.audits import world as worlds
from tests.audits.world import ADA, BERT, CLEO, MLP, SMALL, events, runs, told
from tests.lineage.remote import Script, key
from unlearning.core.recipe import load_recipe

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.filterwarnings("ignore:No directory at"),  # of static files, before `make setup`
]


@pytest.fixture
def script(world, live_server, tmp_path):
    return Script(live_server.url, tmp_path / "spool", "", key())


def train(script, weights=b"", **options: Any) -> str:  # noqa: ANN401
    """Train on what the platform serves now, on a machine that knows no Django."""
    view = remote_view(script.url, script.secret, dataset="digits")
    data: Any = list(view.ordinals)
    sink = script.sink(snapshot=view.snapshot, **options)
    with capture.training(
        DataLoader(data, batch_size=8, shuffle=True), sink=sink, ordinals=view.ordinals
    ) as captured:
        for _ in captured.loader:
            pass
        return captured.finish(weights=weights or save({"w": torch.rand(3)}))


def test_a_version_captured_over_http_closes_the_case(world, script, client):
    world.snapshot(ADA, BERT, CLEO)
    affected = ModelVersion.objects.get(id=train(script, model_name="outside"))
    case = world.erased()
    (run,) = runs(case)
    assert told([run]) == [("outside v1", "retrain", "WAITING")]

    replacement = ModelVersion.objects.get(id=train(script, model_name="outside"))
    client.force_login(worlds.officer())
    address = f"/cases/{case.pk}/runs/{run.pk}/outside/"
    assert f'value="{replacement.pk}"' in client.get(address).content.decode()
    with world.commit(execute=True):
        client.post(address, {"version": str(replacement.pk)})
    case = world.finish(world.wake(case))

    assert (case.status, case.outcome, case.failure) == ("SEALED", "ERASED", "")
    affected.refresh_from_db()
    assert affected.state == "DESTROYED"
    assert world.touched(world.owned(ADA)) == []
    replacement.refresh_from_db()
    assert replacement.state == "ACTIVE"


def test_with_an_allowed_recipe_the_platform_retrains_it_itself(world, script):
    twin = world.train("twin", world.snapshot(ADA, BERT, CLEO))
    weights = weights_of(twin)
    destroy_version(version=twin, by_case=twin.pk, now=timezone.now())  # it has the same bytes
    given = {
        "recipe": MLP,
        "recipe_parameters": SMALL,
        "recipe_digest": load_recipe(MLP, SMALL, ["unlearning.recipes"]).digest(),
        "seed": 3,
    }
    train(script, weights, model_name="there", **given)
    case = world.erased()
    assert ("there v1", "retrain", "CLEARED") in told(runs(case))
    assert (case.status, case.failure) == ("SEALED", "")
    assert "incident_raised" not in events(case)


@pytest.mark.parametrize("change", [{"recipe_digest": "0" * 64}, {"recipe": "elsewhere:Mine"}])
def test_with_a_recipe_that_is_not_the_same_here_staff_decide(world, script, change):
    world.snapshot(ADA, BERT, CLEO)
    given = {"recipe": MLP, "recipe_parameters": SMALL, "recipe_digest": "0" * 64, **change}
    train(script, model_name="there", **given)
    case = world.erased()
    assert (case.status, case.failed_from) == ("FAILED", "UNLEARNING")
    (run,) = runs(case)
    world.do(workflow.take_over, run_id=run.pk, user=worlds.officer())
    world.do(workflow.destroy_version, run_id=run.pk, user=worlds.officer())
    case = world.finish(world.wake(case))
    assert (case.status, case.failure) == ("SEALED", "")
    unread = "elsewhere" in given["recipe"]
    assert ("incident_raised" in events(case)) == unread
    assert (limit_sentences.NOT_READ in limits.limits_of(case, runs(case))) == unread


def test_a_recipe_without_its_digest_is_refused_at_once(tmp_path):
    with pytest.raises(ValueError, match="recipe is 'a:B', but recipe_digest is empty"):
        Script("http://localhost", tmp_path, "", "expunge_key").sink(recipe="a:B")
