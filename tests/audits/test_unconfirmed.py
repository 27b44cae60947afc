"""Addresses that nobody confirmed are not kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from audits.models import ErasureRequest, LogLeaf
from audits.queries import cases
from audits.services import requests
from audits.services.unconfirmed import forget_unconfirmed
from lineage import keys

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

pytestmark = pytest.mark.django_db


def received() -> requests.Received:
    return requests.receive_request(email="ada@example.org", channel="FORM", now=NOW)


def test_an_expired_request_loses_its_address_and_its_key(signing_key):
    request = received().request
    assert forget_unconfirmed(now=NOW + timedelta(hours=49)) == 1
    request.refresh_from_db()
    assert (request.email, request.confirm_digest) == ("", "")
    with pytest.raises(keys.KeyDestroyed):
        keys.get(f"case:{request.pk}")
    assert LogLeaf.objects.filter(case_id=request.pk, type="case_key_destroyed").count() == 1
    assert request not in cases.open_cases()


def test_again_it_finds_nothing(signing_key):
    received()
    forget_unconfirmed(now=NOW + timedelta(hours=49))
    assert forget_unconfirmed(now=NOW + timedelta(hours=50)) == 0


def test_a_request_with_a_living_link_or_a_confirmed_one_is_left_alone(signing_key):
    waiting, confirmed = received(), received()
    requests.confirm_request(token=confirmed.confirm_token, now=NOW)
    assert forget_unconfirmed(now=NOW + timedelta(hours=47)) == 0
    forget_unconfirmed(now=NOW + timedelta(hours=49))
    confirmed.request.refresh_from_db()
    assert confirmed.request.email == "ada@example.org"
    assert ErasureRequest.objects.get(pk=waiting.request.pk).email == ""
