"""What people type into the pages, checked and answered in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.forms.utils import flatatt
from django.utils.html import format_html, format_html_join

from audits.models import OperatorCase
from audits.queries import named_records
from audits.services.operator_cases import NewCase
from lineage.core.ordinal_list import OrdinalsUnreadable
from lineage.models import Dataset, ModelVersion

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from django.utils.safestring import SafeString
    from pyroaring import BitMap

    from lineage.models import OrdinalSpace

INVALID: Mapping[type[forms.Field], str] = {
    forms.DateField: "is no day; enter one as year-month-day, such as 2030-03-31",
    forms.TimeField: "is no time; enter one as hours:minutes, such as 14:30",
    forms.IntegerField: "is no whole number",
    forms.EmailField: "is no e-mail address; enter one in the form name@example.org",
    forms.SlugField: "has other characters; allowed are letters, digits, hyphens and underscores",
    forms.URLField: "is no address; enter one that begins with https://",
}


class PlainErrors:
    """Django's short errors become sentences that say the value and what is allowed.

    What a field says in words of its own stays.
    """

    fields: dict[str, forms.Field]

    def add_error(self, field: str | None, error: Any) -> None:  # noqa: ANN401  (Django's signature)
        """Add an error of a field or of the whole form."""
        if field and isinstance(error, forms.ValidationError):
            typed = self[field].data  # type: ignore[index]  # of the form beside it
            error = [_in_a_sentence(self.fields[field], typed, one) for one in error.error_list]
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
    """A form of staff."""


def _in_a_sentence(
    field: forms.Field, typed: object, error: forms.ValidationError
) -> forms.ValidationError:
    code, about = error.code or "", error.params or {}
    if not code or _says_itself(field, code):
        return error
    limit, length = about.get("limit_value"), about.get("show_value")
    said = {
        "required": "Select one." if isinstance(field, forms.ChoiceField) else "Fill this in.",
        "invalid": _not_valid(field, typed),
        "invalid_choice": f"{typed!r} is not to be had; select one of those shown.",
        "max_length": f"{length} characters are too many; at most {limit} are allowed.",
        "min_length": f"{length} characters are too few; at least {limit} are needed.",
        "min_value": f"{typed} is too small; allowed is {limit} or more.",
        "max_value": f"{typed} is too great; allowed is {limit} or less.",
    }.get(code, "")
    return forms.ValidationError(said, code=code) if said else error


def _says_itself(field: forms.Field, code: str) -> bool:
    usual: dict[str, object] = {}
    for kind in reversed(type(field).__mro__):
        usual |= getattr(kind, "default_error_messages", {})
    return code in field.error_messages and field.error_messages[code] != usual.get(code)


def _not_valid(field: forms.Field, typed: object) -> str:
    words = INVALID.get(type(field))
    return f"{typed!r} {words}." if words else ""


class DestroyForm(PlainForm):
    """The name of a version, typed by hand, before it is destroyed."""

    name = forms.CharField(
        label="Type the name of the version to confirm",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        error_messages={"required": "Type the name of the version."},
    )

    def __init__(self, data: Any = None, *, name: str) -> None:  # noqa: ANN401  (request.POST)
        super().__init__(data)
        self.expected = name

    def clean_name(self) -> str:
        """Accept the very name only."""
        typed: str = self.cleaned_data["name"]
        if typed != self.expected:
            raise forms.ValidationError(f"Type {self.expected!r}; {typed!r} is another name.")
        return typed


class OutsideForm(PlainForm):
    """Which version, retrained outside and captured, takes the place of the affected one."""

    version = forms.ChoiceField(
        label="Which version replaces it?",
        help_text="Versions that were captured after the affected one, did not learn from any "
        "record of the forget set, and do not stand in for another version. It is checked again "
        "before it is used.",
        widget=forms.RadioSelect,
        error_messages={"required": "Select a version.", "invalid_choice": "Select a version."},
    )

    def __init__(self, data: Any = None, *, versions: Iterable[ModelVersion]) -> None:  # noqa: ANN401  (request.POST)
        super().__init__(data)
        choices = [(str(version.pk), str(version)) for version in versions]
        self.fields["version"].choices = choices  # type: ignore[attr-defined]  # a ChoiceField


class RecordsField(forms.CharField):
    """Numbers and ranges of records, as a set."""

    widget = forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "autocomplete": "off"})

    def clean(self, value: Any) -> Any:  # noqa: ANN401  (Django's signature)
        """Read the list."""
        try:
            return named_records.listed(super().clean(value))
        except OrdinalsUnreadable as error:
            raise forms.ValidationError(str(error)) from error


class NewCaseForm(PlainForm):
    """What an operator's own case begins with."""

    reason = forms.ChoiceField(
        label="Why should records leave the training?",
        choices=OperatorCase.Reason.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Select a reason.", "invalid_choice": "Select a reason."},
    )
    version = forms.ModelChoiceField(
        ModelVersion.objects.none(),
        required=False,
        label="Which version learned from them?",
        help_text="Its training records are scored by how far they support the records that you "
        "name. Without a version only the records that you name are taken.",
        empty_label="No version: take the records alone",
    )
    dataset = forms.ModelChoiceField(
        Dataset.objects.none(),
        required=False,
        label="Which data set are they in?",
        help_text="Needed where no version is chosen.",
        empty_label="That of the version",
    )
    records = RecordsField(
        required=False,
        label="Which records do you suspect?",
        help_text="Numbers and ranges, such as 3, 7, 10-19. At least three that were trained on, "
        "for others to be found.",
    )
    file = forms.FileField(
        required=False,
        label="Or a file with their numbers",
        help_text="A text file, one or more a line.",
    )
    people = forms.CharField(
        required=False,
        label="Or the people whose records they are",
        help_text="An e-mail address or an identifier of the source, one a line. They are looked "
        "up and not stored.",
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "autocomplete": "off"}),
    )
    disposal = forms.ChoiceField(
        label="What becomes of the records?",
        help_text="Kept apart, they can be looked at again, and no training is given them.",
        choices=OperatorCase.Disposal.choices,
        initial=OperatorCase.Disposal.KEEP,
        widget=forms.RadioSelect,
        error_messages={"required": "Select what becomes of them."},
    )
    confirm = forms.CharField(
        required=False,
        label="To have them deleted, type DELETE",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, data: Any = None, files: Any = None) -> None:  # noqa: ANN401  (a request's)
        super().__init__(data, files)
        usable = ModelVersion.objects.filter(
            kind=ModelVersion.Kind.MODEL, state=ModelVersion.State.ACTIVE
        )
        version: Any = self.fields["version"]
        version.queryset = usable.order_by("model_name", "-version")
        dataset: Any = self.fields["dataset"]
        dataset.queryset = Dataset.objects.select_related("space").order_by("name")

    def clean(self) -> dict[str, Any]:
        """Look up what was named."""
        cleaned = super().clean() or self.cleaned_data
        deleting = cleaned.get("disposal") == OperatorCase.Disposal.DELETE
        if deleting and cleaned.get("confirm") != "DELETE":
            self.add_error("confirm", "Type DELETE, or choose to keep the records apart.")
        try:
            cleaned["space"] = self._space()
            cleaned["seeds"] = self._seeds(cleaned["space"])
        except named_records.NOT_NAMED as error:
            raise forms.ValidationError(str(error)) from error
        return cleaned

    def new_case(self) -> NewCase:
        """Return what the form says."""
        names = ("reason", "disposal", "space", "version", "seeds")
        return NewCase(**{name: self.cleaned_data[name] for name in names})

    def _space(self) -> OrdinalSpace:
        dataset: Dataset | None = self.cleaned_data.get("dataset")
        if version := self.cleaned_data.get("version"):
            return named_records.space_of(version, dataset)
        if dataset:
            return dataset.space
        raise forms.ValidationError("Choose a version, or the data set that the records are in.")

    def _seeds(self, space: OrdinalSpace) -> BitMap:
        named: BitMap = self.cleaned_data.get("records") or named_records.listed("")
        if file := self.cleaned_data.get("file"):
            named |= named_records.listed(file.read().decode(errors="replace"))
        named |= named_records.of_people(space, self.cleaned_data.get("people", ""))
        if not named and "records" not in self.errors:
            raise forms.ValidationError("Name at least one record, a file of them, or a person.")
        return named
