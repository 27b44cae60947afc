"""The demo's people, their digits, and the few things it reads from pages and letters."""

from __future__ import annotations

import csv
import os
import time

import pytest

from config.demo import journey
from config.demo.people import DEFAULT_SUBJECT, people, write_manifest
from config.demo.result import table
from config.demo.visitor import LinkNotFound, confirmation_link, hidden_fields
from lineage.core.content_digest import content_digest
from tests.audits.world import ADA, verified_case

TOTAL = 1797


# --- people -----------------------------------------------------------------------------------


def test_a_hundred_people_own_every_digit_once():
    everybody = people(TOTAL)
    assert len(everybody) == len({person.email for person in everybody}) == 100
    assert sum(person.records for person in everybody) == TOTAL
    assert min(person.records for person in everybody) >= 1


def test_the_first_has_enough_for_a_whole_audit_and_the_second_too_little():
    first, second, *_ = people(TOTAL)
    assert (first.email, 30 <= first.records <= 40) == (DEFAULT_SUBJECT, True)
    assert second.records == 6


def test_a_fifth_never_trains():
    resting = [person for person in people(TOTAL) if not person.trains]
    assert len(resting) == 20
    assert sum(person.records for person in resting) > 200


def test_people_are_of_uneven_size_and_the_same_every_time():
    sizes = [person.records for person in people(TOTAL)]
    assert sizes == [person.records for person in people(TOTAL)]
    assert max(sizes) > 4 * sorted(sizes)[50] / 2
    assert len(set(sizes)) > 20


def test_the_manifest_names_a_file_and_an_owner_for_each_digit(tmp_path):
    with write_manifest(tmp_path / "demo").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len({row["key"] for row in rows}) == TOTAL
    owned: dict[str, int] = {}
    for row in rows:
        owned[row["subject"]] = owned.get(row["subject"], 0) + 1
    assert owned == {person.email: person.records for person in people(TOTAL)}
    first = rows[0]
    assert (tmp_path / "demo" / first["path"]).read_bytes().startswith(b"\x89PNG")
    assert {row["target"] for row in rows} == set("0123456789")


def test_no_digit_comes_twice(tmp_path):
    """Else the demo would stop to ask about duplicates."""
    write_manifest(tmp_path)
    pictures = [content_digest(path.read_bytes()) for path in tmp_path.glob("*.png")]
    assert len(set(pictures)) == len(pictures)


# --- what is read back ------------------------------------------------------------------------


def test_hidden_fields_are_read_from_a_page():
    page = (
        '<input type="hidden" name="csrf" value="abc"><input type="hidden" name="empty">'
        '<input type="text" name="email" value="x"><input value="1" type="hidden" name="stamp">'
    )
    assert hidden_fields(page) == {"csrf": "abc", "empty": "", "stamp": "1"}


def letter(folder, name, *, to, link, age=0.0):
    path = folder / f"{name}.log"
    path.write_text(f"To: {to}\n\nOpen {link[:30]}=\n{link[30:]} now\n")
    os.utime(path, (time.time() - age, time.time() - age))


def test_the_link_of_the_newest_letter_to_the_person_is_found(tmp_path):
    link = "http://127.0.0.1:8000/erasure/confirm/{}/"
    letter(tmp_path, "old", to=ADA, link=link.format("old"), age=60)
    letter(tmp_path, "new", to=ADA, link=link.format("new"))
    letter(tmp_path, "other", to="bert@example.org", link=link.format("bert"))
    found = confirmation_link(tmp_path, since=time.time() - 30, email=ADA)
    assert found == link.format("new")


def test_a_letter_that_did_not_come_is_said(tmp_path):
    letter(tmp_path, "old", to=ADA, link="http://x/erasure/confirm/old/", age=60)
    with pytest.raises(LinkNotFound, match=f"No confirmation letter to {ADA} is in {tmp_path}"):
        confirmation_link(tmp_path, since=time.time() - 30, email=ADA)


@pytest.mark.django_db
def test_the_case_of_an_earlier_demo_is_found_again(signing_key):
    assert journey.known_case(ADA) is None
    case = verified_case()
    journey._remember(ADA, case)
    assert journey.known_case(ADA) == case
    assert journey.known_case("bert@example.org") is None
    case.delete()
    assert journey.known_case(ADA) is None


def test_the_table_lines_up_its_columns():
    run = {
        "version_name": "digits-mlp v1",
        "method": "scrub",
        "guarantee": "APPROXIMATE",
        "verdict": "FAIL",
        "forget_set_size": 36,
        "seconds": 0.84,
    }
    lines = table({"runs": [run, {**run, "method": "retrain", "seconds": 12.0}]}).splitlines()
    assert lines[0].split() == ["version", "method", "guarantee", "verdict", "records", "seconds"]
    assert [line.index("APPROXIMATE") for line in lines[1:]] == [lines[0].index("guarantee")] * 2
    assert lines[2].endswith("12.0")
