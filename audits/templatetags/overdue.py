"""What the head of every page of staff says of late answers."""

from __future__ import annotations

from django import template
from django.utils import timezone

from audits.queries import clocks

register = template.Library()


@register.simple_tag
def overdue_count() -> int:
    """Return how many answers are overdue today."""
    return clocks.overdue(clocks.today(timezone.now())).count()
