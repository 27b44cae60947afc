"""Going back through migrations, where something would be lost."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import import_module

import pytest
from django.apps import apps

from unlearning.models import TrainingHistory

shards = import_module("unlearning.migrations.0007_shards")


@pytest.mark.django_db
def test_histories_of_the_whole_do_not_hold_up_the_way_back():
    history()
    shards.refuse_shards(apps, None)


@pytest.mark.django_db
def test_histories_of_shards_are_not_lost_on_the_way_back():
    history(shard=0)
    history(shard=1)
    with pytest.raises(RuntimeError, match="2 training histories are of shards"):
        shards.refuse_shards(apps, None)


def history(shard=None):
    now = datetime(2026, 3, 2, tzinfo=UTC)
    return TrainingHistory.objects.create(name=f"run {shard}", shard=shard, created_at=now)
