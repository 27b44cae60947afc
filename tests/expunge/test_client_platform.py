"""The client against the platform itself."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.core import mail
from django.core.wsgi import get_wsgi_application
from django.utils import timezone

import expunge
from audits.models import ErasureRequest
from audits.services import log
from lineage.services.api_keys import create_key
from tests.audits.world import ADA
from tests.expunge.platforms import Platform

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.filterwarnings("ignore:No directory at"),  # of static files, before `make setup`
]


@pytest.fixture
def at_platform(signing_key):
    """Return what makes a client with a key of some scopes."""

    def client(*scopes: str, name: str = "portal", **options: Any) -> expunge.Client:  # noqa: ANN401
        key = create_key(name=name, scopes=scopes, now=timezone.now(), lifetime=None).secret
        transport = httpx.WSGITransport(get_wsgi_application())
        return expunge.Client("http://localhost", key, transport=transport, **options)

    return client


def test_a_request_becomes_a_case_whose_state_can_be_asked(at_platform):
    client = at_platform("intake")
    made = client.request(email=ADA, kind="CONSENT", identifiers=[("EXTERNAL", "customer 7")])
    case = ErasureRequest.objects.get()
    assert (case.reference, case.kind) == (made["reference"], "CONSENT")
    assert mail.outbox[-1].to == [ADA]
    assert client.case(made["reference"]).items() >= made.items()


def test_a_request_that_was_buffered_arrives_with_its_own_moment(at_platform, tmp_path):
    earlier = timezone.now() - timedelta(days=2)
    away = Platform(httpx.ConnectError("no"))
    with pytest.raises(expunge.Buffered):
        away.client(buffer=tmp_path, attempts=1, clock=lambda: earlier).request(email=ADA)
    assert not ErasureRequest.objects.exists()
    assert at_platform("intake", buffer=tmp_path).flush().sent == 1
    assert ErasureRequest.objects.get().received_at == earlier


def test_the_platforms_sentences_come_as_exceptions(at_platform):
    client = at_platform("intake")
    with pytest.raises(expunge.Refused, match="does not have the form"):
        client.request(email="nobody")
    client.request(email=ADA, key="one")
    with pytest.raises(expunge.Conflict):
        client.request(email="eve@example.org", key="one")
    with pytest.raises(expunge.NotThere, match="case of this reference"):
        client.case("ER-0000-0000")
    with pytest.raises(expunge.KeyNotAccepted):
        at_platform("serve").case("ER-0000-0000")
    with pytest.raises(expunge.NotThere, match="no such address"):
        client.case("ER/1")


def test_the_log_gives_its_checkpoint_and_proofs(at_platform):
    client = at_platform("log:read")
    with pytest.raises(expunge.NotThere, match="No checkpoint"):
        client.checkpoint()
    log.append(type="incident_raised", case=None, now=timezone.now(), data={"code": "X"})
    note = log.checkpoint(now=timezone.now()).note
    assert client.checkpoint() == note
    assert client.proof(0).endswith(note)
    assert client.consistency(1) == ""


def test_no_key_means_no_answer(at_platform):
    client = expunge.Client(
        "http://localhost", "wrong", transport=httpx.WSGITransport(get_wsgi_application())
    )
    with pytest.raises(expunge.KeyNotAccepted):
        client.case("ER-0000-0000")
    assert "wrong" not in repr(client)
