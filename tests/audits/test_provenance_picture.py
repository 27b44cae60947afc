"""The picture of provenance: what stands where, what is put together, what is said."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audits.execution.pictured import fitted, width_of
from audits.execution.provenance_graph import FAMILIES, MOST, arranged, ways_of
from audits.execution.provenance_picture import provenance_svg
from audits.execution.provenance_words import ENDS, MARKS
from audits.execution.svg_text import description_of
from audits.queries.ends import End

DIRECT, INDIRECT = "DIRECT", "INDIRECT"
Steps = list[tuple[str, str, str]]


def affected(name: str, steps: Steps, records: int = 32) -> dict[str, Any]:
    path = [{"source": one, "role": role, "influence": how} for one, role, how in steps]
    return {"version": f"id of {name}", "name": name, "forget_count": records, "path": path}


def run(name: str, method: str, verdict: str, **more: object) -> dict[str, Any]:
    return {
        "version": f"id of {name}",
        "version_name": name,
        "method": method,
        "verdict": verdict,
        "guarantee": "EXACT",
        "unlearned": f"id of new {name}",
        "unlearned_name": f"new {name}",
        **more,
    }


def end(name: str, kind: End, *, until: str | None = None) -> dict[str, Any]:
    became = f"id of new {name}" if kind in (End.RETRAINED, End.UNLEARNED) else None
    return {"version": f"id of {name}", "end": str(kind), "became": became, "until": until}


def findings(rows, runs=(), ends=(), unknown=0) -> dict[str, Any]:
    plan = {"affected": list(rows), "unknown": ["u"] * unknown}
    return {"plan": plan, "runs": list(runs), **({"ends": list(ends)} if ends else {})}


FROM_DATA: Steps = [("digits@4", "TRAINING", DIRECT)]


def three() -> dict[str, Any]:
    """A base, one tuned from it, and one that took features; one more is not known."""
    tuned = [*FROM_DATA, ("base v1", "BASE_MODEL", DIRECT)]
    ranked = [*FROM_DATA, ("features v3", "PREPROCESSING", INDIRECT)]
    rows = [affected("base v1", FROM_DATA), affected("ranker v1", ranked)]
    rows.append(affected("tuned v1", tuned, records=3))
    runs = [
        run("base v1", "scrub", "FAIL", guarantee="APPROXIMATE"),
        run("base v1", "retrain", "ERASED_BY_CONSTRUCTION"),
        run("ranker v1", "scrub", "PASS_LEAK", guarantee="APPROXIMATE"),
        run("tuned v1", "destroy", "ERASED_BY_CONSTRUCTION", unlearned=None),
    ]
    return findings(rows, runs, unknown=1)


def many(count: int, families: int = 1) -> dict[str, Any]:
    kinds = (End.RETRAINED, End.DESTROYED)
    rows, ends = [], []
    for at in range(count):
        source = f"set{at % families}@{at % 3}"
        rows.append(affected(f"model{at} v1", [(source, "TRAINING", DIRECT)]))
        ends.append(end(f"model{at} v1", kinds[at % 2]))
    return findings(rows, ends=ends)


def test_each_version_has_a_row_of_its_own_right_of_what_it_came_from():
    layout = arranged(ways_of(three()))
    found = {name: (one.column, one.row) for name, one in layout.places.items()}
    assert found == {
        "digits@4": (0, 1.0),
        "base v1": (1, 0.0),
        "tuned v1": (2, 1.0),
        "features v3": (1, 2.0),
        "ranker v1": (2, 3.0),
    }
    assert ("features v3", "ranker v1", INDIRECT) in layout.edges
    assert len(layout.edges) == 4


def test_ends_follow_from_the_last_run_where_an_older_record_names_none():
    ways = ways_of(three())
    assert [way.end for way in ways] == [End.RETRAINED, End.UNLEARNED, End.DESTROYED]
    assert [way.became for way in ways] == ["new base v1", "new ranker v1", ""]
    ways = ways_of(three() | {"ends": [end("tuned v1", End.EXCEPTED, until="2031-12-31")]})
    assert (ways[2].end, ways[2].until) == (End.EXCEPTED, "2031-12-31")


def test_a_version_that_two_sets_of_records_reached_stands_once():
    rows = [affected("a v1", FROM_DATA), affected("a v1", FROM_DATA, records=1)]
    (way,) = ways_of(findings(rows))
    assert way.records == 33


def test_as_many_as_fit_are_drawn_one_by_one_and_more_by_data_set():
    most = arranged(ways_of(many(MOST - 3)))
    assert not most.grouped
    assert len(most.places) == MOST
    layout = arranged(ways_of(many(MOST - 2)))
    assert layout.grouped
    ways = [one.way for one in layout.places.values() if one.way]
    assert [(way.family, way.end, way.count) for way in ways] == [
        ("set0", End.DESTROYED, 12),
        ("set0", End.RETRAINED, 12),
    ]


def test_beyond_the_largest_data_sets_no_version_is_lost():
    layout = arranged(ways_of(many(200, families=9)))
    ways = [one.way for one in layout.places.values() if one.way]
    assert sum(way.count for way in ways) == 200
    assert len({way.family for way in ways}) == FAMILIES + 1


def test_the_same_findings_give_the_same_bytes_and_words_for_who_does_not_see():
    svg = provenance_svg(three())
    assert svg
    assert provenance_svg(three()) == svg
    assert description_of(svg) == (
        "3 model version(s) are known to have learned from records in 1 source(s) of data. "
        "Destroyed: 1. Retrained: 1. Unlearned: 1. Of 1 more it is not known what they learned "
        "from."
    )
    assert b"<text" not in svg  # letters are shapes, so that no font is needed to show them


def test_what_is_not_known_is_drawn_otherwise_and_alone_too():
    svg = provenance_svg(findings([], unknown=2))
    assert svg
    assert b"<pattern" in svg
    known = provenance_svg(findings([affected("a v1", FROM_DATA)]))
    assert known
    assert b"<pattern" not in known
    assert provenance_svg(findings([])) is None
    assert provenance_svg({"plan": {}, "runs": []}) is None


@pytest.mark.parametrize(("language", "words"), [("fr", "Détruite: 1."), ("de", "Vernichtet: 1.")])
def test_it_speaks_the_language_that_is_asked_for(language, words):
    svg = provenance_svg(three(), language=language)
    assert svg
    assert words in description_of(svg)


def test_every_end_has_a_shape_of_its_own():
    assert set(ENDS) == set(MARKS) == set(End)
    assert len(set(MARKS.values())) == len(End)


def test_all_fits_on_a_page_of_the_report():
    for case in (three(), many(MOST - 3), many(200, families=9)):
        svg = provenance_svg(case | {"plan": case["plan"] | {"unknown": ["u"]}})
        assert svg
        size = re.search(rb'width="([0-9.]+)pt" height="([0-9.]+)pt"', svg)
        assert size
        assert (float(size[1]), float(size[2]) < 9.1 * 72) == (482.4, True)


LABELS = st.sampled_from(["a", "b", "c v1", "", "\x00", "#panic()", "\u6a21\u202e", "x" * 90])
STEP = st.tuples(LABELS, st.sampled_from(["TRAINING", "NEW"]), st.sampled_from([DIRECT, INDIRECT]))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(LABELS, st.lists(STEP, max_size=4)), min_size=1, max_size=6))
def test_no_ways_whatever_put_two_versions_in_one_row(rows):
    """Also circles, which names that are not unique can make, find a place."""
    ways = ways_of(findings([affected(name, steps) for name, steps in rows]))
    layout = arranged(ways)
    inner = [one.row for one in layout.places.values() if one.column]
    assert len(set(inner)) == len(inner)
    assert {way.name for way in ways} <= layout.places.keys()
    for source, target, _ in layout.edges:
        assert layout.places[source].column < layout.places[target].column


@settings(max_examples=20, deadline=None)
@given(st.text(max_size=40), st.floats(0.1, 3))
def test_a_text_is_never_wider_than_its_room(text, inches):
    shown = fitted(text, inches, 7)
    assert width_of(shown, 7) <= max(inches, width_of("\u2026", 7))
