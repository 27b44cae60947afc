"""What staff type about letters: an operator's text, a way of answering, a day of posting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import forms
from django.conf import settings
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from audits.core.letter_rules import BLOCK_MOST, PLACEHOLDERS, RULES, SUBJECT_MOST
from audits.forms import PlainForm
from audits.models import AnswerRoute
from audits.queries.letter_texts import LetterText
from audits.services.letter_posting import ADDRESS_MOST
from audits.views.choices import labels_of

if TYPE_CHECKING:
    from datetime import date

    from django.forms import BoundField
    from django.http import QueryDict

_DAY = forms.DateInput(attrs={"type": "date"})


class LetterForm(PlainForm):
    """The subject and every block of a letter; what is wrong with them is the service's to say."""

    subject = forms.CharField(label=_("Subject"), required=False, max_length=SUBJECT_MOST)
    active_from = forms.DateField(
        label=_("In use from"),
        required=False,
        widget=_DAY,
        error_messages={"invalid": _("Enter a day, such as 2030-03-31.")},
    )

    def __init__(self, data: QueryDict | None, *, text: LetterText) -> None:
        """Show ``text``, or what was typed over it."""
        super().__init__(data, initial={"subject": text.subject})
        self.fields["active_from"].help_text = gettext(
            "Leave empty to use the text from the moment it is published. A day begins at 00:00 "
            "by the clock of %(zone)s."
        ) % {"zone": settings.EXPUNGE_CLOCK_ZONE}
        self.text = text
        rule = RULES[text.code]
        for name in rule.blocks:
            self.fields[f"block_{name}"] = forms.CharField(
                label=gettext(called(name)),
                help_text=_hint(name, text.code),
                required=False,
                initial=text.blocks.get(name, ""),
                max_length=BLOCK_MOST,
                strip=False,
                widget=forms.Textarea(
                    attrs={"rows": 5, "class": "letter", "lang": text.locale, "dir": "auto"}
                ),
            )

    def blocks(self) -> list[tuple[str, BoundField]]:
        """Return the name and the field of each block, in their order."""
        return [(name, self[f"block_{name}"]) for name in RULES[self.text.code].blocks]

    def typed(self) -> LetterText:
        """Return the text that was typed."""
        blocks = {
            name: self.cleaned_data[f"block_{name}"] for name in RULES[self.text.code].blocks
        }
        return LetterText(
            code=self.text.code,
            locale=self.text.locale,
            subject=self.cleaned_data["subject"],
            blocks=blocks,
        )

    def from_day(self) -> date | None:
        """Return the day from which the text is to be used, if one was given."""
        day: date | None = self.cleaned_data["active_from"]
        return day


class PostedForm(PlainForm):
    """The day on which a letter was posted."""

    posted_on = forms.DateField(
        label=_("On which day was it posted?"),
        widget=_DAY,
        error_messages={
            "required": _("Enter the day on which the letter was posted."),
            "invalid": _("Enter a day, such as 2030-03-31."),
        },
    )


class RouteForm(PlainForm):
    """How a person is answered."""

    way = forms.ChoiceField(
        label=_("How is the person answered?"),
        choices=labels_of(AnswerRoute.Way),
        widget=forms.RadioSelect,
        error_messages={"required": _("Select a way.")},
    )
    address = forms.CharField(
        label=_("Postal address"),
        help_text=_(
            "Needed for letters by post. It is kept encrypted, and deleted once the case is "
            "answered."
        ),
        required=False,
        max_length=ADDRESS_MOST,
        widget=forms.Textarea(attrs={"rows": 4, "autocomplete": "off"}),
    )
    requested = forms.BooleanField(label=_("The person asked for this way"), required=False)


def called(name: str) -> str:
    """Return what a block of letters is called, in English."""
    return name.replace("_", " ").capitalize()


def _hint(name: str, code: str) -> str:
    mandatory = RULES[code].mandatory
    if name not in mandatory:
        return gettext("May be left empty.")
    needed = ", ".join(f"{{{one}}} ({gettext(PLACEHOLDERS[one])})" for one in mandatory[name])
    if not needed:
        return gettext("Mandatory.")
    return gettext("Mandatory. It must have %(placeholders)s.") % {"placeholders": needed}
