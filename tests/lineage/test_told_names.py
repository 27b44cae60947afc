"""What is called differently outside is never one and the same here."""

from __future__ import annotations

import itertools
import json
import uuid
from importlib import import_module

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from lineage.core.told_names import LONGEST, fitted, joined
from lineage.models import Dataset, DatasetSnapshot, ModelVersion
from lineage.services.importing import ensure_dataset
from tests.lineage.builders import filled
from tests.lineage.events import event, faces, model, named, send, trained_on

pytestmark = [pytest.mark.django_db, pytest.mark.database]
renaming = import_module("lineage.migrations.0011_one_name_for_one_model")
TEXT = st.one_of(
    st.text("a/#%$", max_size=6), st.sampled_from(["x" * 199, "x" * 200, "x" * 199 + "y"])
)
NAMES = st.tuples(TEXT, TEXT, TEXT)


@given(one=NAMES, other=NAMES)
def test_two_names_never_give_one_id(one, other):
    ids = [fitted("openlineage:", joined(*names)) for names in (one, other)]
    assert (ids[0] == ids[1]) == (one == other)
    assert all(len(found) <= LONGEST for found in ids)


@given(one=TEXT)
def test_what_looks_like_a_digest_of_a_long_name_is_not_taken_for_it(one):
    long = one + "x" * (LONGEST + 1)
    assert fitted("told:", fitted("", long)) != fitted("told:", long)


def test_models_of_two_namespaces_are_two_whichever_came_first(now):
    filled("faces", 4, now)
    names = [("s3://b", "models/m"), ("s3://b/models", "m"), ("n", "x" * 195), ("n", "x" * 196)]
    events = []
    for at, (namespace, name) in enumerate(names):
        wrote = {**model(name, "1"), "namespace": namespace}
        run = uuid.UUID(int=at + 1)
        events.append(event("COMPLETE", inputs=[faces(at)], outputs=[wrote], run=run))

    graphs = []
    for order in (events, events[::-1]):
        with transaction.atomic():
            send(*order, now=now)
            graphs.append(dict(ModelVersion.objects.values_list("external_id", "generated_by")))
            transaction.set_rollback(True)
    assert graphs[0] == graphs[1]
    assert len(graphs[0]) == 4


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_data_sets_of_different_names_never_share_a_space(now, order):
    acts = [
        lambda: send(trained_on(named("c", namespace="a/b"), run=uuid.UUID(int=1)), now=now),
        lambda: send(trained_on(named("b/c", namespace="a"), run=uuid.UUID(int=2)), now=now),
        lambda: filled("a%2Fb/c", 2, now),
    ]
    for at in order:
        acts[at]()
    assert Dataset.objects.values("space").distinct().count() == 3


def test_a_data_set_is_the_same_whether_an_event_or_an_import_named_it_first(now):
    send(trained_on(named("faces")), now=now)
    assert ensure_dataset(name="faces").space.name == "faces"


def test_long_versions_of_a_state_are_two_states(now):
    states = [named("d", version="x" * 199 + last) for last in "yz"]
    send(trained_on(*states), now=now)
    assert DatasetSnapshot.objects.count() == 2


def test_why_takes_the_version_of_another_registry(now, capsys):
    filled("faces", 2, now)
    send(trained_on(faces(0), name="clf", version="7"), now=now)
    for text in ("clf v7", "clf v1", "registry/clf#7", "openlineage:registry/clf#7"):
        call_command("lineage", "why", text, "--records", "faces:0", "--json")
        answer = json.loads(capsys.readouterr().out)
        assert (answer["affected"], answer["external_id"]) == (True, "openlineage:registry/clf#7")
    call_command("lineage", "why", "clf v7", "--records", "faces:1", "--json")
    answer = json.loads(capsys.readouterr().out)
    assert (answer["affected"], answer["external_id"]) == (False, "openlineage:registry/clf#7")
    call_command("lineage", "why", "clf v7", "--records", "faces:1")
    assert "clf v1 (openlineage:registry/clf#7) did not learn" in capsys.readouterr().out


def test_why_asks_back_where_a_number_here_is_a_version_elsewhere(now, capsys):
    filled("faces", 2, now)
    send(
        trained_on(faces(1), name="clf", version="2", run=uuid.UUID(int=1)),
        trained_on(faces(0), name="clf", version="1", run=uuid.UUID(int=2)),
        now=now,
    )
    for text in ("clf v1", "clf v2"):
        with pytest.raises(CommandError, match=r"clf v2 \(openlineage:registry/clf#1, id .*clf#2"):
            call_command("lineage", "why", text, "--records", "faces:0")
    version = ModelVersion.objects.get(external_id__endswith="#1")
    call_command("lineage", "why", str(version.id), "--records", "faces:0", "--json")
    assert json.loads(capsys.readouterr().out)["affected"] is True


def test_why_asks_back_where_two_registries_call_a_version_so(now):
    filled("faces", 2, now)
    for at, namespace in enumerate(("a", "b")):
        wrote = {**model("clf", "7"), "namespace": namespace}
        run = uuid.UUID(int=at + 1)
        send(event("COMPLETE", inputs=[faces(at)], outputs=[wrote], run=run), now=now)
    with pytest.raises(CommandError, match=r"openlineage:a/clf#7.*openlineage:b/clf#7"):
        call_command("lineage", "why", "clf v7", "--records", "faces:0")


def test_ids_of_before_become_those_of_now_and_can_be_taken_back(now):
    wrote = {**model("models/m", "1"), "namespace": "s3://b"}
    send(event("COMPLETE", outputs=[wrote]), now=now)
    (after,) = ModelVersion.objects.values_list("external_id", flat=True)
    renaming.rename_back(apps, None)
    (before,) = ModelVersion.objects.values_list("external_id", flat=True)
    assert before == "openlineage:s3://b/models/m#1"
    renaming.rename(apps, None)
    assert ModelVersion.objects.get().external_id == after == "openlineage:s3:%2F%2Fb/models%2Fm#1"
