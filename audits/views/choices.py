"""The choices of enums and of languages, as forms of staff show them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from audits.core.letter_rules import LOCALES
from audits.forms import spoken

if TYPE_CHECKING:
    from django.db.models import TextChoices
    from django_stubs_ext import StrOrPromise

    Shown = list[tuple[str, StrOrPromise]]

# What stands in a list before anything is chosen.
CHOOSE = _("Choose one")


def labels_of(kind: type[TextChoices]) -> Shown:
    """Return the choices of an enum, in the language in which the page is shown."""
    return spoken(kind.choices)


def locales() -> Shown:
    """Return the languages that letters have, each in its own words; the first is none."""
    return [("", _("Language of this installation")), *LOCALES.items()]
