"""System checks of the contacts that the record of processing names (Art. 30(1)(a))."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core import checks

HINT = "See docs/registers.md."
LONGEST = 300


@checks.register()
def contacts_are_one_line(**_: Any) -> list[checks.CheckMessage]:  # noqa: ANN401  (Django's signature)
    """Refuse a contact that is not one line of a sensible length."""
    return [
        checks.Error(
            f"{name} is {value[:40]!r}; it must be one line of at most {LONGEST} characters with "
            "a name and how to reach it, or the word none.",
            hint=HINT,
            id="expunge.E060",
        )
        for name, value in _contacts().items()
        if len(value) > LONGEST or not value.isprintable()
    ]


@checks.register(deploy=True)
def contacts_are_said(**_: Any) -> list[checks.CheckMessage]:  # noqa: ANN401  (as above)
    """Warn of a contact that the record of processing must have."""
    return [
        checks.Warning(
            f"{name} is empty: the record of processing has a gap (Art. 30(1)(a)). Name it with "
            "a contact, or set it to none where none is designated.",
            hint=HINT,
            id="expunge.W060",
        )
        for name, value in _contacts().items()
        if not value
    ]


def _contacts() -> dict[str, str]:
    names = ("EXPUNGE_DPO", "EXPUNGE_REPRESENTATIVE")
    return {name: getattr(settings, name) for name in names}
