"""What the head of every page of staff says of late answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import template
from django.utils import timezone

from audits.queries import clocks

if TYPE_CHECKING:
    from django.template import Context

register = template.Library()


@register.simple_tag(takes_context=True)
def overdue_count(context: Context) -> int:
    """Return how many answers are overdue today; a page that counted them is not asked again."""
    known = context.get("overdue_count")
    if isinstance(known, int):
        return known
    return clocks.overdue(clocks.today(timezone.now())).count()
