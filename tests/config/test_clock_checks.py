"""An installation whose clock cannot be counted says so when it starts."""

from __future__ import annotations

import pytest

from config.clock_checks import the_clock_can_be_read, the_regime_is_the_countrys


def said() -> list[str]:
    return [one.msg for one in the_clock_can_be_read()]


def test_the_defaults_can_be_counted(settings):
    assert said() == []
    assert the_regime_is_the_countrys() == []
    settings.EXPUNGE_COUNTRY, settings.EXPUNGE_REGION = "DE", "BY"
    settings.EXPUNGE_HOLIDAYS = ["2026-08-15", "2026-12-24"]
    assert said() == []


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("COUNTRY", "XX", "EXPUNGE_COUNTRY is 'XX', for which no public holidays are known"),
        ("COUNTRY", "", "EXPUNGE_COUNTRY is '', for which no public holidays are known"),
        ("REGION", "BY", "EXPUNGE_REGION is 'BY'; the regions of FR are: 57, 6AE, "),
        ("CLOCK_ZONE", "Mars/Olympus", "EXPUNGE_CLOCK_ZONE is 'Mars/Olympus'; a zone such as"),
        ("CLOCK_ZONE", "../etc", "EXPUNGE_CLOCK_ZONE is '../etc'; a zone such as"),
        ("CLOCK_ZONE", "", "EXPUNGE_CLOCK_ZONE is ''; a zone such as"),
        ("HOLIDAYS", ["24.12."], "EXPUNGE_HOLIDAYS has '24.12.'; days such as 2026-12-24"),
        ("HOLIDAYS", ["2026-02-30"], "EXPUNGE_HOLIDAYS has '2026-02-30'; days such as"),
        ("OWN_TARGET_DAYS", 90, "EXPUNGE_OWN_TARGET_DAYS is 90; it must be between 1 and 31."),
    ],
)
def test_what_no_date_can_be_counted_with_is_refused_by_name(settings, name, value, sentence):
    setattr(settings, f"EXPUNGE_{name}", value)
    (one,) = said()
    assert one.startswith(sentence)


def test_a_law_of_another_country_is_warned_of(settings):
    settings.EXPUNGE_REGIME = "CALIFORNIA"
    (warned,) = the_regime_is_the_countrys()
    assert warned.msg.startswith(
        "EXPUNGE_REGIME is CALIFORNIA, and EXPUNGE_COUNTRY is 'FR', where"
    )
