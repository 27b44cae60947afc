"""The registers of places and backups: look, add, change, try."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from audits.core.roles import Right
from audits.queries.page_words import retold
from audits.queries.places import last_drill
from audits.services import registers
from audits.views.access import page, staff_of, staff_page
from audits.views.place_forms import BackupForm, PlaceForm
from audits.views.problems import problems, refuse
from audits.views.proving import proving
from audits.views.rights import may, needing
from lineage import locations
from lineage.core.place_settings import SettingRefused
from lineage.core.places import LocationNotReachable
from lineage.models import Backup, Location
from lineage.queries.locations import overdue_backups

if TYPE_CHECKING:
    from django.forms import Form
    from django.http import HttpRequest, HttpResponse


@require_safe
@staff_page
def place_list(request: HttpRequest) -> HttpResponse:
    """List the places that a case erases from, and the backups."""
    now = timezone.now()
    late = set(overdue_backups(now).values_list("pk", flat=True))
    backups = [{"backup": one, "late": one.pk in late} for one in Backup.objects.all()]
    context = {
        "places": [{"place": one, "title": _title(one.kind)} for one in Location.objects.all()],
        "kinds": [(kind, _title(kind)) for kind in locations.KINDS],
        "backups": backups,
        "late": len(late),
        "drill": last_drill(),
        "may_keep": may(request, Right.REGISTER),
    }
    return page(request, "audits/places.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@needing(Right.REGISTER)
@proving
def new_place(request: HttpRequest, kind: str) -> HttpResponse:
    """Register a place of a kind."""
    if kind not in locations.KINDS:
        raise Http404
    form = PlaceForm(kind, request.POST if request.method == "POST" else None)
    return _kept(request, form, change=False)


@require_http_methods(["GET", "HEAD", "POST"])
@needing(Right.REGISTER)
@proving
def edit_place(request: HttpRequest, slug: str) -> HttpResponse:
    """Change what is said of a place."""
    found = get_object_or_404(Location, slug=slug)
    if found.kind not in locations.KINDS:
        raise Http404
    posted = request.POST if request.method == "POST" else None
    return _kept(request, PlaceForm(found.kind, posted, location=found), change=True)


@require_POST
@needing(Right.REGISTER)
def try_place(request: HttpRequest, slug: str) -> HttpResponse:
    """Open a place and say what is there."""
    found = get_object_or_404(Location, slug=slug)
    try:
        said = registers.try_location(slug=found.slug, user=staff_of(request))
    except (LocationNotReachable, SettingRefused) as error:
        messages.error(request, f"{slug}: {retold(error)}")
    else:
        messages.success(request, f"{slug}: {said}")
    return redirect("audits:places")


@require_http_methods(["GET", "HEAD", "POST"])
@needing(Right.REGISTER)
def new_backup(request: HttpRequest) -> HttpResponse:
    """Register a backup."""
    form = BackupForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            made = registers.keep_backup(
                user=staff_of(request), now=timezone.now(), **form.fields_of_backup()
            )
        except SettingRefused as error:
            refuse(form, str(error), {"made_at": "made", "expires_at": "expires"})
        else:
            messages.success(request, _("The backup %(backup)s is registered.") % {"backup": made})
            return redirect("audits:places")
    return _asked(request, "audits/backup.html", form)


@require_http_methods(["GET", "HEAD", "POST"])
@needing(Right.REGISTER)
@proving
def destroyed(request: HttpRequest, backup_id: str) -> HttpResponse:
    """Ask once more, then note that a backup was destroyed."""
    found = get_object_or_404(Backup, pk=backup_id)
    if found.destroyed_at:
        messages.warning(
            request, _("The backup %(backup)s was noted as destroyed before.") % {"backup": found}
        )
        return redirect("audits:places")
    if request.method != "POST":
        return page(request, "audits/backup_destroyed.html", {"backup": found})
    registers.destroy_backup(name=found.name, user=staff_of(request), now=timezone.now())
    messages.success(
        request, _("The backup %(backup)s is noted as destroyed.") % {"backup": found}
    )
    return redirect("audits:places")


def _kept(request: HttpRequest, form: PlaceForm, *, change: bool) -> HttpResponse:
    if form.is_valid():
        try:
            kept = registers.keep_location(
                new=form.new_location(), user=staff_of(request), now=timezone.now(), change=change
            )
        except SettingRefused as error:
            refuse(form, str(error), prefix="set_")
        else:
            messages.success(
                request,
                _("%(place)s is kept. Try to reach it before a case has to.") % {"place": kept},
            )
            return redirect("audits:places")
    more = {"title": _title(form.kind), "place": form.location}
    return _asked(request, "audits/place.html", form, **more)


def _asked(
    request: HttpRequest,
    template: str,
    form: Form,
    **more: Any,  # noqa: ANN401
) -> HttpResponse:
    errors = problems(form)
    context = {"form": form, "errors": errors, **more}
    return page(request, template, context, status=400 if errors else 200)


def _title(kind: str) -> str:
    try:
        return locations.kind_named(kind).title
    except SettingRefused:
        return kind
