"""What every kind of place must do; a new file is tested by adding a builder."""

from __future__ import annotations

import pytest

from lineage import locations
from lineage.core.place_settings import SettingRefused
from lineage.core.places import DELETED, LocationNotReachable, Person
from tests.lineage.locations.places import ADA, BERT, BUILDERS


def test_every_kind_is_tested():
    assert {name.removeprefix("csv_") for name in BUILDERS} == set(locations.KINDS)


def test_what_is_found_is_erased_and_read_back_as_gone(built):
    place = locations.opened(built.kind, built.settings)
    assert place.find(ADA).count == 2
    erased = place.erase(ADA)
    assert (erased.count, erased.how) == (2, DELETED)
    assert place.read_back(ADA) == 0


def test_a_second_erase_finds_nothing(built):
    place = locations.opened(built.kind, built.settings)
    place.erase(ADA)
    assert place.find(ADA).count == 0
    assert place.erase(ADA).count == 0


def test_other_people_keep_what_is_theirs(built):
    place = locations.opened(built.kind, built.settings)
    held = place.find(BERT).count
    assert held
    place.erase(ADA)
    assert place.find(BERT).count == held


def test_somebody_without_data_is_not_found(built):
    place = locations.opened(built.kind, built.settings)
    assert place.find(Person(email="*@example.org")).count == 0
    assert place.find(Person(email="%")).count == 0


def test_what_is_there_is_said_without_a_person(built):
    said = locations.opened(built.kind, built.settings).reach()
    assert "example.org" not in said.lower()


@pytest.mark.parametrize("call", ["find", "erase", "read_back"])
def test_a_place_that_is_away_says_so_and_names_nobody(built, call):
    place = locations.opened(built.kind, built.settings)
    built.break_it()
    with pytest.raises(LocationNotReachable) as said:
        getattr(place, call)(ADA)
    assert "ada@" not in str(said.value).lower()
    assert said.value.__cause__ is None


def test_a_wrong_setting_is_refused_in_a_sentence(built):
    ((name, value),) = built.wrong.items()
    with pytest.raises(SettingRefused, match="allowed") as said:
        locations.opened(built.kind, {**built.settings, name: value})
    assert name in str(said.value)
    assert "password@" not in str(said.value)


def test_an_unknown_and_a_missing_setting_are_refused(built):
    with pytest.raises(SettingRefused, match=r"^colour is 'red'; allowed are only "):
        locations.opened(built.kind, {**built.settings, "colour": "red"})
    needed = next(one.name for one in locations.settings_of(built.kind) if one.needed)
    without = {name: value for name, value in built.settings.items() if name != needed}
    with pytest.raises(SettingRefused, match=f"^{needed} is missing; allowed is "):
        locations.opened(built.kind, without)


def test_an_unknown_kind_is_refused_by_the_names_there_are():
    with pytest.raises(SettingRefused, match=r"kind is 'paper'; allowed are django_model, files"):
        locations.opened("paper", {})


def test_nobody_is_shown_by_a_person():
    assert "ada" not in f"{ADA!r} {ADA}".lower()
