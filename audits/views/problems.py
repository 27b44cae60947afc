"""What is wrong in a form of staff: which field, by its label, and a link that leads to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.forms import CheckboxSelectMultiple, RadioSelect

from audits.queries.page_words import beside_label, retold
from lineage.core.worded import Worded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.forms import BoundField
    from django.forms.forms import BaseForm

Problems = list[tuple[str, str]]
SEVERAL = (RadioSelect, CheckboxSelectMultiple)  # the label of these belongs to no one control


def problems(form: BaseForm, first: str = "") -> Problems:
    """Return what is wrong as (link, sentence), in the order of the fields.

    Args:
        form: bound or not; an unbound one has nothing wrong.
        first: the field that a sentence about the whole form leads to; the first one by default.
    """
    whole = form[first or next(iter(form.fields))] if form.fields else None
    said = [(place_of(whole), str(one)) for one in form.non_field_errors()] if whole else []
    for bound in form:
        said += [(place_of(bound), labelled(str(bound.label), str(one))) for one in bound.errors]
    return said


def place_of(bound: BoundField) -> str:
    """Return the link to a field; to the first of several choices."""
    first = "_0" if isinstance(bound.field.widget, SEVERAL) else ""
    return f"#{bound.auto_id}{first}"


def labelled(label: str, sentence: str) -> str:
    """Return a sentence with the label of its field before it."""
    return f"{label} {sentence}" if label.endswith(("?", ":")) else f"{label}: {sentence}"


def refuse(
    form: BaseForm, sentence: str, names: Mapping[str, str] | None = None, prefix: str = ""
) -> None:
    """Put the sentence of a service at the field that it begins with, under its label alone.

    ``path is ''; allowed is ...`` becomes ``It is ''; allowed is ...`` at the field ``path``.

    Args:
        form: the form that was valid so far.
        sentence: of an error that names its field first, told in the language of the page.
        names: what the service calls a field otherwise than the form, by the service's name.
        prefix: what the names of some fields begin with in the form.
    """
    if isinstance(sentence, Worded) and sentence.field:
        word, said = sentence.field, beside_label(sentence)
    else:
        word, _, rest = sentence.partition(" ")
        said = f"It {rest}"
    for name in ((names or {}).get(word, word), f"{prefix}{word}"):
        if name in form.fields:
            form.add_error(name, said)
            return
    form.add_error(None, retold(sentence))
