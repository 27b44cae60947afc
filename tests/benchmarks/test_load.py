"""The benchmarks of load see what they look for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from benchmarks import load_page
from benchmarks.crowd import Sizes, WrongCrowd, filled
from benchmarks.crowd_cases import MIX, open_mix
from benchmarks.load_deadlines import deadlines
from benchmarks.load_forms import _counted, _mails, _saturation
from benchmarks.load_posters import Poster
from benchmarks.pages_visits import Visited
from tests.audits import bare_cases
from tests.functional.installation import ROOT


def poster(number, reference=""):
    return Poster(number=number, email=f"p{number}@example.org", reference=reference)


def counted(posters, cases, shown):
    found = _counted(posters, cases, shown)
    return [found[name] for name in ("accepted", "lost", "duplicated", "cross_assigned")]


def test_every_poster_finds_their_own_case():
    people = [poster(1, "ER-1"), poster(2, "ER-2"), poster(3)]
    cases = [["ER-1", "p1@example.org"], ["ER-2", "p2@example.org"]]
    pages = {"p1@example.org": "It is ER-1.", "p2@example.org": "It is ER-2."}
    assert counted(people, cases, pages) == [2, 0, 0, 0]


def test_a_lost_a_doubled_and_a_mistaken_case_are_seen():
    people = [poster(1, "ER-1"), poster(2, "ER-2")]
    both = [["ER-1", "p1@example.org"], ["ER-2", "p2@example.org"]]
    pages = {"p1@example.org": "It is ER-1.", "p2@example.org": "It is ER-2."}
    assert counted(people, both[:1], pages)[1] == 1
    assert counted(people, [*both, ["ER-3", "p2@example.org"]], pages)[2] == 1
    swapped = [["ER-1", "p2@example.org"], ["ER-2", "p1@example.org"]]
    assert counted(people, swapped, pages)[3] == 2
    assert counted(people, both, {**pages, "p2@example.org": "It is ER-1."})[3] == 1


def test_no_two_posters_share_a_network():
    networks = {poster(number).address.rpartition(".")[0] for number in range(5_000)}
    assert len(networks) == 5_000


def test_the_secrets_of_a_letter_are_found_by_its_address(tmp_path):
    line = "-" * 79
    Path(tmp_path / "1.log").write_text(
        "Content-Type: text/plain\nTo: ann@example.org\n\n"
        f"https://x/erasure/confirm/abc:1/\nhttps://x/erasure/status/xyz/\n\n{line}\n"
    )
    assert _mails(tmp_path) == {"ann@example.org": {"confirm": "abc:1", "status": "xyz"}}


def test_the_server_is_saturated_by_the_fewest_posters_that_keep_it_busy():
    steps = [
        {"at_once": at_once, "per_second": rate, "p99_ms": 10.0 * at_once}
        for at_once, rate in ((1, 5.0), (2, 9.0), (4, 9.8), (1_000, 10.0))
    ]
    found = _saturation(steps)
    assert (found["saturated_by"], found["p99_ms"]) == (2, 20.0)
    assert found["p99_ms_all_at_once"] == 10_000.0


def test_the_table_of_the_page_is_that_of_the_result_that_is_kept():
    page = (ROOT / load_page.PAGE).read_text()
    found = json.loads((ROOT / load_page.KEPT).read_text())
    assert load_page.block(page) == load_page.as_markdown(found)
    assert found["posted"] == found["accepted"] >= 1_000
    assert found["sweep"]["open"] > 99_000


def test_the_memory_that_the_page_tells_is_that_of_the_result_that_is_kept():
    kept = json.loads((ROOT / "benchmarks/results/memory-500-runs-2-cores.json").read_text())
    page = " ".join((ROOT / "docs/reliability.md").read_text().split())
    heavy = kept["heavy"]
    assert (heavy["jobs"], heavy["unlearned_versions"], kept["missed"]) == (500, 500, [])
    for name in ("first_mb", "last_mb", "grown_mb"):
        assert f"{heavy[name]} MB" in page


def test_nothing_is_late_at_the_capacity_of_the_bound_and_much_is_at_half():
    month = deadlines(50)
    assert month["at_capacity"]["missed"] == 0 < month["at_half"]["missed"]
    assert month["at_capacity"]["served"] == month["requests"]


def test_a_download_is_judged_by_its_first_byte():
    told: dict[str, Any] = {"page": "p", "address": "/p", "status": 200, "queries": 3}
    told |= {"kilobytes": 5_000.0, "milliseconds": [20.0], "to_the_end": [900.0]}
    assert Visited(**told, download=True).missed == []
    assert Visited(**told, download=False).missed == ["/p: 5000 KB"]


def test_open_cases_alone_are_in_every_open_state():
    mix = open_mix()
    assert sum(share for *_, share in mix) == pytest.approx(1)
    assert [one[0] for one in mix] == [status for status, outcome, _ in MIX if not outcome]


@pytest.mark.django_db
def test_a_kept_installation_that_is_another_is_not_measured():
    bare_cases.empty_version("somebody's")
    with pytest.raises(WrongCrowd, match="Take another folder"):
        filled(Sizes(cases=1, versions=0, records=0), now=timezone.now())
