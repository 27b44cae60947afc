"""A case, and a member of staff."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from audits.services import requests
from tests.audits.world import ADA, NOW


@pytest.fixture
def case(signing_key):
    received = requests.receive_request(email=ADA, channel="FORM", now=NOW)
    return requests.confirm_request(token=received.confirm_token, now=NOW)


@pytest.fixture
def staff(db):
    return User.objects.create_superuser("somebody", is_staff=True)
