"""Forged, replayed and enumerating posts, and links that somebody guesses or alters.

Further: ``tests/audits/views/test_views_public.py``, ``tests/audits/views/test_views_steps.py``.
"""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client

from audits.models import ErasureRequest, LogHead
from audits.queries.identity import of_address
from tests.attackers.counting import tried
from tests.attackers.site_map import every_address, forgeable
from tests.audits.views.conftest import links  # noqa: F401  (a fixture)
from tests.audits.views.visits import ask
from tests.audits.world import person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("site")]
ADA = "ada@example.org"
MADE_UP = ("x", "0" * 43, "../../cases", "%00", "a:b:c", "eyJhIjoxfQ:1abcde:xyz", "é" * 20)
# The API takes keys and no cookies.
WITHOUT: set[str] = set()
TOKENS = ("confirm", "answer", "status")


def test_no_page_takes_a_post_that_another_site_forged():
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.create_superuser("root"))
    before = LogHead.objects.get().size
    exempt = {one.route for one in every_address() if one.exempt}
    assert {route for route in exempt if not route.startswith("api/")} == WITHOUT
    for one in forgeable():
        assert strict.post(one.path, {"lang": "de"}).status_code == 403, one.path
    assert LogHead.objects.get().size == before
    assert len(forgeable()) > 40
    tried("forged posts", len(forgeable()))


def test_a_stranger_who_asks_first_neither_blocks_nor_moves_the_person(client, links):  # noqa: F811
    # Fides, GHSA-qx5f-ghc2-7g5c: a request that nobody confirmed made the real one a duplicate.
    person(ADA, records=2)
    stranger = Client()
    ask(stranger, ADA)
    ask(client, ADA)
    confirm, _ = links()
    assert client.post(confirm).status_code == 302
    ask(stranger, ADA)
    states = sorted(ErasureRequest.objects.values_list("status", flat=True))
    assert states == ["RECEIVED", "RECEIVED", "VERIFIED"]
    assert len(of_address(ADA)) == 3
    tried("requests in somebody else's name", 2)


def test_a_link_that_was_guessed_altered_or_swapped_opens_nothing(client, links):  # noqa: F811
    ask(client, ADA)
    confirm, status = (link.rstrip("/").rsplit("/", 1)[1] for link in links())
    altered = [token[:-1] + ("A" if token[-1] != "A" else "B") for token in (confirm, status)]
    guesses = [*MADE_UP, *altered, confirm.swapcase(), status[:-1], f"{status}0", status.upper()]
    before, asked = LogHead.objects.get().size, 0
    addresses = [f"/erasure/{kind}/{token}/" for kind in TOKENS for token in guesses]
    addresses += [f"/erasure/confirm/{status}/", f"/erasure/status/{confirm}/"]
    addresses += [f"/told/{token}/" for token in (*guesses, confirm, status)]
    addresses += [f"/erasure/status/{token}/withdraw/" for token in guesses]
    for address in addresses:
        for method in (client.get, client.post):
            asked += 1
            answer = method(address)
            assert answer.status_code in {400, 404, 405, 410}, address
            assert ADA not in answer.content.decode()
    assert LogHead.objects.get().size == before
    assert ErasureRequest.objects.get().status == "RECEIVED"
    tried("links guessed or altered", asked)


def test_a_link_that_was_used_is_replayed_in_vain(client, links):  # noqa: F811
    ask(client, ADA)
    confirm, _ = links()
    client.post(confirm)
    before, letters = LogHead.objects.get().size, len(mail.outbox)
    for _ in range(5):
        assert Client().post(confirm).status_code == 410
    assert (LogHead.objects.get().size, len(mail.outbox)) == (before, letters)
    tried("links replayed", 5)
