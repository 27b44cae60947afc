"""What people type into the pages, checked and answered in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.forms.utils import flatatt
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from audits.queries.page_words import beside_label, retold
from lineage.core.worded import Worded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from django.utils.functional import _StrPromise
    from django.utils.safestring import SafeString

    from lineage.models import ModelVersion

    Words = str | _StrPromise

INVALID: Mapping[type[forms.Field], Words] = {
    forms.DateField: _("%(typed)s is no day; enter one as year-month-day, such as 2030-03-31."),
    forms.TimeField: _("%(typed)s is no time; enter one as hours:minutes, such as 14:30."),
    forms.IntegerField: _("%(typed)s is no whole number."),
    forms.EmailField: _("%(typed)s is no e-mail address; enter one in the form name@example.org."),
    forms.SlugField: _(
        "%(typed)s has other characters; allowed are letters, digits, hyphens and underscores."
    ),
    forms.URLField: _("%(typed)s is no address; enter one that begins with https://."),
}
FILL_IN = _("Fill this in.")


class PlainErrors:
    """Django's short errors become sentences that say the value and what is allowed.

    What a field says in words of its own stays.
    """

    fields: dict[str, forms.Field]

    def add_error(self, field: str | None, error: Any) -> None:  # noqa: ANN401  (Django's signature)
        """Add an error of a field or of the whole form, in the language of the page.

        A sentence about a field of this form goes there.
        """
        if isinstance(error, Worded):
            if not field and error.field in self.fields:
                field, error = error.field, beside_label(error)
            error = retold(error)
        elif isinstance(error, forms.ValidationError) and not hasattr(error, "error_dict"):
            error = [_retold(one) for one in error.error_list]
        if field and isinstance(error, list):
            typed = self[field].data  # type: ignore[index]  # of the form beside it
            error = [_in_a_sentence(self.fields[field], typed, one) for one in error]
        super().add_error(field, error)  # type: ignore[misc]  # of the form beside it


class _LongList:
    """Draws its options itself: a template for each takes a second for a thousand of them."""

    def render(
        self,
        name: str,
        value: Any,  # noqa: ANN401  (Django's signature)
        attrs: dict[str, Any] | None = None,
        renderer: Any = None,  # noqa: ANN401, ARG002  (Django's signature)
    ) -> SafeString:
        """Return the list; its options are in no groups."""
        drawn = self.get_context(name, value, attrs)["widget"]  # type: ignore[attr-defined]
        every = (option for _, options, _ in drawn["optgroups"] for option in options)
        options = format_html_join(
            "\n",
            '<option value="{}"{}>{}</option>',
            ((one["value"] or "", flatatt(one["attrs"]), one["label"]) for one in every),
        )
        attributes = flatatt(drawn["attrs"])
        return format_html('<select name="{}"{}>\n{}\n</select>', name, attributes, options)


class LongSelect(_LongList, forms.Select):
    """One of very many."""


class LongSelectMultiple(_LongList, forms.SelectMultiple):
    """Some of very many."""


class PlainForm(PlainErrors, forms.Form):
    """A form whose refusals are sentences."""


def spoken(choices: Iterable[tuple[str, Words]]) -> list[tuple[str, Words]]:
    """Return choices whose words are translated when a list of them is shown."""
    return [(code, _(str(words)) if words else "") for code, words in choices]


def _retold(error: forms.ValidationError) -> forms.ValidationError:
    said = error.message
    return forms.ValidationError(retold(said)) if isinstance(said, Worded) else error


def _in_a_sentence(
    field: forms.Field, typed: object, error: forms.ValidationError
) -> forms.ValidationError:
    code, about = error.code or "", error.params or {}
    if not code or _says_itself(field, code):
        return error
    limit, length = about.get("limit_value"), about.get("show_value")
    wanted = INVALID.get(type(field), "")
    said: Words = {
        "required": _("Select one.") if isinstance(field, forms.ChoiceField) else FILL_IN,
        "invalid": wanted,
        "invalid_choice": _("%(typed)s is not to be had; select one of those shown."),
        "max_length": _("%(length)s characters are too many; at most %(limit)s are allowed."),
        "min_length": _("%(length)s characters are too few; at least %(limit)s are needed."),
        "min_value": _("%(value)s is too small; allowed is %(limit)s or more."),
        "max_value": _("%(value)s is too great; allowed is %(limit)s or less."),
    }.get(code, "")
    values = {"typed": repr(typed), "value": typed, "length": length, "limit": limit}
    return forms.ValidationError(said % values, code=code) if said else error


def _says_itself(field: forms.Field, code: str) -> bool:
    usual: dict[str, object] = {}
    for kind in reversed(type(field).__mro__):
        usual |= getattr(kind, "default_error_messages", {})
    return code in field.error_messages and field.error_messages[code] != usual.get(code)


class DestroyForm(PlainForm):
    """The name of a version, typed by hand, before it is destroyed."""

    name = forms.CharField(
        label=_("Type the name of the version to confirm"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        error_messages={"required": _("Type the name of the version.")},
    )

    def __init__(self, data: Any = None, *, name: str) -> None:  # noqa: ANN401  (request.POST)
        super().__init__(data)
        self.expected = name

    def clean_name(self) -> str:
        """Accept the very name only."""
        typed: str = self.cleaned_data["name"]
        if typed != self.expected:
            raise forms.ValidationError(
                gettext("Type %(expected)s; %(typed)s is another name.")
                % {"expected": repr(self.expected), "typed": repr(typed)}
            )
        return typed


class OutsideForm(PlainForm):
    """Which version, retrained outside and captured, takes the place of the affected one."""

    version = forms.ChoiceField(
        label=_("Which version replaces it?"),
        help_text=_(
            "Versions that were captured after the affected one, did not learn from any "
            "record of the forget set, and do not stand in for another version. It is checked "
            "again before it is used."
        ),
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Select a version."),
            "invalid_choice": _("Select a version."),
        },
    )

    def __init__(self, data: Any = None, *, versions: Iterable[ModelVersion]) -> None:  # noqa: ANN401  (request.POST)
        super().__init__(data)
        choices = [(str(version.pk), str(version)) for version in versions]
        self.fields["version"].choices = choices  # type: ignore[attr-defined]  # a ChoiceField
