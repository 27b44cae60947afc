"""Who may see a page, and what no browser or proxy may keep of it."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext

from audits.core.roles import Right
from audits.queries.policy_values import in_force
from audits.services.rights import require

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
    from django.http.response import HttpResponseBase

P = ParamSpec("P")
R = TypeVar("R", bound="HttpResponseBase")


def page(
    request: HttpRequest, template: str, context: Mapping[str, Any], *, status: int = 200
) -> HttpResponse:
    """Render a page with the facts that every page may show."""
    return render(request, template, {**site_facts(), **context}, status=status)


def site_facts() -> dict[str, str]:
    """Return who runs this site and where to complain."""
    return {
        "controller": in_force("CONTROLLER"),
        "contact": in_force("CONTACT"),
        "authority": gettext(in_force("AUTHORITY")) if in_force("AUTHORITY") else "",
    }


def private(
    view: Callable[Concatenate[HttpRequest, P], R],
) -> Callable[Concatenate[HttpRequest, P], R]:
    """Keep a page about one person out of caches and search engines."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> R:
        response = view(request, *args, **kwargs)
        add_never_cache_headers(response)
        response["X-Robots-Tag"] = "noindex, nofollow"
        return response

    return guarded


def no_referrer(
    view: Callable[Concatenate[HttpRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Never name the address of this page to another one; for addresses that hold a secret.

    Not for pages with a form: under this policy a browser posts ``Origin: null``, which the
    protection against forged requests must refuse. They keep the site's "same-origin".
    """

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        response = view(request, *args, **kwargs)
        response["Referrer-Policy"] = "no-referrer"
        return response

    return guarded


def staff_page(
    view: Callable[Concatenate[HttpRequest, P], R],
) -> Callable[Concatenate[HttpRequest, P], R | HttpResponseRedirect]:
    """Serve a page to members of staff who may read cases, which every role allows."""

    @wraps(view)
    def guarded(
        request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs
    ) -> R | HttpResponseRedirect:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        require(staff_of(request), Right.READ)
        return view(request, *args, **kwargs)

    return private(guarded)


def staff_of(request: HttpRequest) -> User:
    """Return the member of staff who asks. Raises PermissionDenied for anybody else."""
    user = request.user
    if not isinstance(user, User) or not user.is_staff:
        raise PermissionDenied
    return user
