"""The forms of the registers: a place, by what its kind declares, and a backup."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from audits.forms import PlainForm
from audits.views.choices import labels_of
from lineage import locations
from lineage.core.place_settings import Setting
from lineage.models import Location
from lineage.services.locations import NewLocation

if TYPE_CHECKING:
    from lineage.core.place_settings import Declared

_DAY = forms.DateInput(attrs={"type": "date"})
OURS = ("slug", "purpose", "category", "retention_days", "mask_reason", "active")


class PlaceForm(PlainForm):
    """What is said of a place; its kind's settings are fields whose names begin with ``set_``."""

    slug = forms.SlugField(
        label=_("Short name"), help_text=_("Small letters, digits and hyphens."), max_length=64
    )
    purpose = forms.CharField(
        label=_("What are the data there for?"),
        help_text=_("Such as support tickets. The record of a case names it; name no person."),
        max_length=200,
    )
    category = forms.ChoiceField(
        label=_("What is the place?"),
        help_text=_("How the answer to the person speaks of it."),
        choices=labels_of(Location.Category),
    )
    retention_days = forms.IntegerField(
        required=False,
        label=_("Days after which it deletes by itself"),
        help_text=_(
            "Leave empty where nothing is deleted unless somebody does. It is erased from "
            "either way."
        ),
        min_value=1,
    )
    mask_reason = forms.CharField(
        required=False,
        label=_("If columns are masked: why they are not deleted"),
        help_text=_(
            "To mask is to overwrite the person's values and to keep the row, where a law "
            "or another table needs it. Masked rows are listed as a residual, which is data that "
            "is left, and never as erased."
        ),
        max_length=200,
    )
    active = forms.BooleanField(
        required=False,
        initial=True,
        label=_("Cases erase from it"),
        help_text=_("Without this it stays listed, and no case searches it."),
    )

    def __init__(self, kind: str, data: Any = None, *, location: Location | None = None) -> None:  # noqa: ANN401  (request.POST)
        self.kind, self.location = kind, location
        self.declared = locations.settings_of(kind)
        super().__init__(data, initial=_initial(location))
        for one in self.declared:
            self.fields[f"set_{one.name}"] = _field(one, location)
        if location:
            self.fields["slug"].disabled = True

    def new_location(self) -> NewLocation:
        """Return what was said of the place, not checked against its kind yet."""
        said = {name: self.cleaned_data[name] for name in OURS}
        return NewLocation(kind=self.kind, settings=self._settings(), **said)

    def _settings(self) -> dict[str, object]:
        given = {one: self.cleaned_data[f"set_{one.name}"] for one in self.declared}
        return {
            one.name: _value(one, value) for one, value in given.items() if value or value == 0
        }


def _initial(location: Location | None) -> dict[str, Any]:
    return {name: getattr(location, name) for name in OURS} if location else {}


def _field(one: Declared, location: Location | None) -> forms.Field:
    known = location.settings.get(one.name, one.default) if location else one.default
    named: dict[str, Any] = {
        "label": gettext(label_of(one)),
        "help_text": _help(one),
        "required": one.needed,
        "initial": ", ".join(known) if isinstance(known, list | tuple) else known,
    }
    if one.kind is int:
        return forms.IntegerField(min_value=one.setting.low, max_value=one.setting.high, **named)
    if one.kind is not str:
        named["help_text"] += " " + gettext("Several are separated by commas.")
    return forms.CharField(**named)


def label_of(one: Declared) -> str:
    """Return what a setting is called, in English."""
    return one.name.replace("_", " ").capitalize().replace("Url", "URL")


def purpose_of(one: Declared) -> str:
    """Return what a setting is for, in English."""
    return f"{one.setting.help[:1].upper()}{one.setting.help[1:]}"


def _help(one: Declared) -> str:
    """Say what a setting is for and what it may be."""
    setting, words = one.setting, gettext(purpose_of(one))
    if one.kind is int:
        ends = {"what": words, "low": setting.low, "high": setting.high}
        return gettext("%(what)s, from %(low)s to %(high)s.") % ends
    if setting.allowed == Setting.allowed:
        return f"{words}."
    said = {"what": words, "allowed": gettext(setting.allowed)}
    return gettext("%(what)s. Allowed: %(allowed)s.") % said


def _value(one: Declared, value: Any) -> object:  # noqa: ANN401  (of a cleaned field)
    if one.kind in (str, int):
        return value
    return [word.strip() for word in str(value).split(",") if word.strip()]


class BackupForm(PlainForm):
    """A backup: what it holds, and when it goes."""

    name = forms.CharField(label=_("Name"), max_length=100)
    covers = forms.CharField(
        label=_("What does it hold?"), help_text=_("Such as database, store."), max_length=200
    )
    made = forms.DateField(
        label=_("Made on"), help_text=_("From 00:00 UTC of this day on."), widget=_DAY
    )
    expires = forms.DateField(
        label=_("To be destroyed on"),
        help_text=_("From this day on it is overdue until somebody notes here that it is gone."),
        widget=_DAY,
    )
    note = forms.CharField(required=False, label=_("Note"), max_length=200)

    def fields_of_backup(self) -> dict[str, Any]:
        """Return what ``register_backup`` takes."""
        said = {name: self.cleaned_data[name] for name in ("name", "covers", "note")}
        for name in ("made", "expires"):
            said[f"{name}_at"] = datetime.combine(self.cleaned_data[name], time(), UTC)
        return said
