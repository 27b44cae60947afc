"""Instants as the reader's clock shows them, with UTC for whoever compares."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from django import template
from django.utils import timezone
from django.utils.html import format_html

from audits.core.letter_dates import date_words
from audits.queries.page_words import day, spoken, weekday

if TYPE_CHECKING:
    from datetime import date

    from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def moment(value: datetime | None, places: str = "minutes") -> SafeString | str:
    """Return an aware instant as a ``time`` element: its day, time and zone in words.

    ``places`` is ``minutes`` or ``seconds``. Nothing is shown for None, as Django's ``date`` does.
    """
    if value is None:
        return ""
    shown = timezone.localtime(value)
    clock = "%H:%M:%S" if places == "seconds" else "%H:%M"
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        value.astimezone(UTC).isoformat(timespec="seconds"),
        f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC",
        f"{date_words(shown.date(), spoken())}, {shown.strftime(clock)} {zone_of(shown)}",
    )


@register.filter
def dated(value: date | None, form: str = "day") -> SafeString | str:
    """Return a day as a ``time`` element in words; of an instant, the day on the reader's clock.

    ``form`` is ``day`` or ``weekday``, which names the day of the week, too.
    """
    if value is None:
        return ""
    shown = timezone.localtime(value).date() if isinstance(value, datetime) else value
    words = weekday(shown) if form == "weekday" else day(shown)
    return format_html('<time datetime="{}">{}</time>', shown.isoformat(), words)


def zone_of(shown: datetime) -> str:
    """Return what a zone is called at an instant: CET, or UTC+03:30 where it has no letters."""
    name, offset = shown.tzname() or "UTC", f"{shown:%z}"
    return name if name[:1].isalpha() else f"UTC{offset[:3]}:{offset[3:5]}"


@register.simple_tag
def zone_now() -> str:
    """Return what the zone is called in which this page shows times."""
    return zone_of(timezone.localtime())
