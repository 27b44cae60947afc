"""Pages for members of staff with a right; the services ask for it again."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec

from audits.services.rights import has_right, require
from audits.views.access import staff_of, staff_page

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

    from audits.core.roles import Right

P = ParamSpec("P")


def needing(
    right: Right,
) -> Callable[
    [Callable[Concatenate[HttpRequest, P], HttpResponse]],
    Callable[Concatenate[HttpRequest, P], HttpResponse],
]:
    """Serve a page to whoever holds a right."""

    def guard(
        view: Callable[Concatenate[HttpRequest, P], HttpResponse],
    ) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            require(staff_of(request), right)
            return view(request, *args, **kwargs)

        return staff_page(guarded)

    return guard


def may(request: HttpRequest, right: Right) -> bool:
    """Return whether the member of staff holds a right."""
    return has_right(staff_of(request), right)
