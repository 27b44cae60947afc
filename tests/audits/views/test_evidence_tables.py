"""What the page of an evidence says beside its bounds, and in which few numbers it begins."""

from __future__ import annotations

from dataclasses import replace

import pytest

from audits.core.policy import EvidencePolicy
from audits.views.beside import comparison_facts, not_run_facts, power_rows
from audits.views.cells import NOT_COMPUTED
from audits.views.contrasts import answers
from audits.views.measurements import Fact
from tests.audits.views import worlds
from tests.audits.views.test_views_evidence import page_of, text_of

POLICY = EvidencePolicy().as_dict()


def contrasts(*, before=0.6, lower=0.0, upper=0.05):
    stages = {"before": {"lower": before, "upper": 1.0}, "leak": {"lower": lower, "upper": upper}}
    return {
        name: dict.fromkeys(("record_average", "subject"), one) for name, one in stages.items()
    }


@pytest.mark.parametrize(
    ("numbers", "says"),
    [
        ({}, "seen before, below the margin after"),
        ({"upper": 0.5}, "seen before, perhaps above the margin after"),
        ({"before": 0.01}, "not shown to be seen before, below the margin after"),
        ({"lower": 0.4, "upper": 0.9}, "leaks"),
        ({"upper": None}, NOT_COMPUTED),
    ],
)
def test_it_begins_with_what_the_verdict_turns_on(numbers, says):
    found = answers({"contrasts": contrasts(**numbers)}, POLICY)
    assert [one.level for one in found] == ["Average over the records", "The person as a whole"]
    assert {one.attack for one in found} == {"U-LiRA"}
    assert {one.says for one in found} == {says}
    assert [one.margin for one in found] == ["0.10", "0.30"]


def test_attacks_that_decide_stand_beside_the_main_one_and_others_do_not():
    attacks = {
        name: {"title": name, "decides": name == "near", "contrasts": contrasts()}
        for name in ("near", "shown")
    }
    found = answers({"contrasts": contrasts(), "attacks": attacks}, POLICY)
    assert [one.attack for one in found] == ["U-LiRA", "U-LiRA", "near", "near"]


def test_the_whole_set_of_one_person_has_that_persons_numbers():
    rules = {**POLICY, "levels": ["whole_set"]}
    (found,) = answers({"contrasts": contrasts()}, rules)
    assert (found.level, found.after) == ("All records together", "0.05")


def test_what_so_many_models_can_show_stands_beside_the_margin():
    power = {
        "record_average": {"smallest_bound": 0.08, "detectable": 0.21, "method": "t"},
        "subject": {"smallest_bound": 0.45, "detectable": None, "method": "t"},
    }
    rows = power_rows({"power": power}, POLICY)
    assert [(one.rules_out, one.finds, one.margin) for one in rows] == [
        ("0.08", "0.21", "0.10"),
        ("0.45", "none that is known", "0.30"),
    ]


@pytest.mark.parametrize("hole", [None, [], "text", [None], [{}], {"subject": "text"}])
def test_holes_break_nothing(hole):
    payload = {"power": hole, "comparisons": hole, "not_run": hole, "contrasts": hole}
    assert answers(payload, POLICY) == ()
    assert power_rows(payload, POLICY) == ()
    for facts in (comparison_facts(payload), not_run_facts(payload)):
        assert {fact.value for fact in facts} <= {NOT_COMPUTED}


def test_only_what_is_compared_letter_by_letter_is_set_so():
    said = "Fewer than 200 retained records, or none of them is known to have been compared."
    assert Fact(name="Digest", value="ab" * 32).coded
    assert Fact(name="Certificate", value="0b6a3a55-2c0d-4ad0-9d3c-52a1c8d0f7aa").coded
    assert not Fact(name="Records that stay", value=said).coded


def test_the_page_lists_what_was_not_run_and_what_decides_nothing(reader):
    found = worlds.u_lira()
    more = {
        "not_run": [{"attack": "Label-only attacks", "reason": "They see less."}],
        "comparisons": [{"attack": "klom", "title": "KLoM", "percentile": 56.0, "models": 16}],
        "not_made": {"RMIA": "No strangers were kept."},
    }
    case, _ = worlds.judged(replace(found, payload={**found.payload, **more}))
    page = text_of(reader.get(page_of(case)))
    assert "<dt>Label-only attacks</dt><dd>They see less.</dd>" in page
    assert "<dt>KLoM</dt><dd>percentile 56 of 100, with 16 models in a group</dd>" in page
    assert "No strangers were kept. The policy asks for it, so nothing passes" in page
