"""What an attack found of a run, in words for the person."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from django import template

from audits.queries.case_file import verdict_of

if TYPE_CHECKING:
    from unlearning.models import UnlearningRun

register = template.Library()


@register.filter
def plainly(run: UnlearningRun) -> str:
    """Return the sentence for the person of a run's last verdict, or nothing."""
    verdict = verdict_of(run)
    return str(verdict.evidence.payload.get("for_the_person", "")) if verdict else ""


@register.filter
def indented(text: str, width: int) -> str:
    """Break a text into lines of a letter's list item, four spaces in."""
    return textwrap.fill(text, width, subsequent_indent="    ")
