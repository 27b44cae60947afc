"""A base that is served, over a real server."""

from __future__ import annotations

from typing import Any

import pytest

from expunge.serving import Rolling
from tests.audits.world import ADA, BERT
from tests.lineage.remote import key


@pytest.fixture(autouse=True)
def _coarse(settings):
    settings.EXPUNGE_OUTPUTS = "2"


@pytest.fixture
def base(world):
    return world.bare("base", world.snapshot(ADA, BERT))


@pytest.fixture
def rolls(live_server):
    """Make what serves; it is closed when the test ends."""
    made: list[Rolling[bytes]] = []

    def rolling(**more: Any) -> Rolling[bytes]:  # noqa: ANN401  (fields of Rolling)
        given: dict[str, Any] = {
            "url": live_server.url,
            "api_key": key("serve", "serve:next", name="shop"),
            "model": "base",
            "load": lambda weights: weights,
            "every": 0,
            "background": False,
            **more,
        }
        made.append(Rolling(**given))
        return made[-1]

    yield rolling
    for one in made:
        one.close()
