"""A webhook, and a receiver that hears what it is told."""

from __future__ import annotations

import pytest

from audits.services import webhooks
from tests.audits.receiving import receiving
from tests.audits.webhooks.messages import NOW


@pytest.fixture(autouse=True)
def installation(settings, tmp_path):
    settings.KEYS = tmp_path
    settings.EXPUNGE_WEBHOOK_PRIVATE_HOSTS = ["127.0.0.1"]


@pytest.fixture
def receiver():
    with receiving() as found:
        yield found


@pytest.fixture
def told(receiver):
    """A webhook that is told of verified requests and of withdrawn versions."""
    return webhooks.add_webhook(
        name="desk", url=receiver.url, kinds=["case.verified", "version.withdrawn"], now=NOW
    )
