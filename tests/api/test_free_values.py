"""Fields that take any JSON: numbers that are none, and text that nothing holds, do no harm."""

from __future__ import annotations

import hashlib
import uuid

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from lineage.models import ModelVersion, Run
from tests.api.worlds import bearer
from tests.lineage.remote import WEIGHTS

pytestmark = pytest.mark.django_db
USED = BitMap([0, 1]).serialize()
# As they may stand in a body: Python reads the first three, and takes the fourth for infinite.
NO_NUMBERS = ("NaN", "Infinity", "-Infinity", "1e999")
WORDS = ('"\\u0000"', '"\\ud800"', '"a"', "null", "1", "-0.0", "1e308", str(2**70))
ATOMS = st.sampled_from((*NO_NUMBERS, *WORDS))
VALUES = st.recursive(
    ATOMS,
    lambda inner: (
        st.lists(inner, max_size=2).map(lambda some: f"[{','.join(some)}]")
        | inner.map(lambda one: f'{{"a": {one}}}')
    ),
    max_leaves=3,
)
few = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def begin(client, shared, run, extra):
    text = f'{{"at": "2026-03-01T12:00:00Z", "snapshot": "{shared.data.pk}"{extra}}}'
    return client.post(
        f"/api/v1/capture/runs/{run}/begin",
        text,
        content_type="application/json",
        headers=bearer(shared.key),
    )


def finish(client, shared, run, extra):
    used, weights = (hashlib.sha256(part).hexdigest() for part in (USED, WEIGHTS))
    text = f'{{"used_sha256": "{used}", "weights_sha256": "{weights}", "model_name": "m"{extra}}}'
    files = {
        "message": SimpleUploadedFile("message", text.encode()),
        "used": SimpleUploadedFile("used", USED),
        "weights": SimpleUploadedFile("weights", WEIGHTS),
    }
    return client.post(f"/api/v1/capture/runs/{run}/finish", files, headers=bearer(shared.key))


def checked(answer):
    """Return whether a call was taken; one that was not is a problem with a sentence."""
    if answer.status_code == 200:
        return True
    assert answer.status_code in {400, 409, 422}, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["detail"]
    return False


@few
@example(field="sampler", value="NaN")
@example(field="environment", value='"\\u0000"')
@given(
    field=st.sampled_from(["recipe_parameters", "sampler", "environment"]),
    value=VALUES,
)
def test_a_training_begins_with_any_values_or_is_refused(shared, client, field, value):
    run = uuid.uuid4()
    taken = checked(begin(client, shared, run, f', "{field}": {{"x": {value}}}'))
    assert Run.objects.filter(pk=run).exists() == taken
    if any(one in value for one in NO_NUMBERS):
        assert not taken


@few
@example(field="metrics", value="Infinity")
@example(field="sampler", value='"\\ud800"')
@given(field=st.sampled_from(["metrics", "sampler"]), value=VALUES)
def test_a_training_ends_with_any_values_or_is_refused(shared, client, field, value):
    run = uuid.uuid4()
    assert checked(begin(client, shared, run, ""))
    taken = checked(finish(client, shared, run, f', "{field}": {{"x": {value}}}'))
    if any(one in value for one in NO_NUMBERS):
        assert not taken
    assert ModelVersion.objects.filter(generated_by=run).exists() == taken
    assert checked(finish(client, shared, run, ""))  # nothing was lost


@pytest.mark.parametrize("number", [*NO_NUMBERS, "-1", '"soon"'])
def test_seconds_that_are_no_time_are_refused(shared, client, number):
    run = uuid.uuid4()
    assert checked(begin(client, shared, run, ""))
    assert not checked(finish(client, shared, run, f', "seconds": {number}'))
