"""In which time zone a page shows times: that of the reader's browser, UTC before it said so."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, available_timezones

from django.utils import timezone

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

COOKIE = "expunge_zone"
# What is not a place: "localtime" is the server's, and "Factory" names a clock nobody has set.
NOT_PLACES = {"localtime", "Factory", "posixrules"}


class ReaderZone:
    """Show times as the reader's clock does; ``static/expunge/zone.js`` sets the cookie.

    Legal periods do not depend on it: they run by the zone of the controller's calendar.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.known = available_timezones() - NOT_PLACES

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer in the zone that the cookie names, if there is such a zone."""
        name = request.COOKIES.get(COOKIE, "")
        with timezone.override(ZoneInfo(name) if name in self.known else None):
            return self.get_response(request)
