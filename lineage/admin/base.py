"""The base of all pages of the admin: everything to read, nothing to change.

Rows are written by services only; a change by hand would bypass locks, logs and triggers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponseRedirect
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html_join
from unfold.admin import ModelAdmin

from lineage.queries.readers import may_read

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from django.db.models import Model, QuerySet
    from django.http import HttpRequest


class ReadOnlyAdmin(ModelAdmin):  # type: ignore[misc]  # unfold has no types
    """Lists and shows rows; adds, changes and deletes none."""

    list_per_page = 50
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Fetch with a row what its page shows of other rows."""
        found: QuerySet[Any] = super().get_queryset(request)
        related = self.list_select_related
        return found.select_related(*related) if isinstance(related, tuple) else found

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Sequence[str]:
        """Show the links to other rows after the fields."""
        found = list(super().get_fields(request, obj))
        return found if "linked" in found or self.fields else [*found, "linked"]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Sequence[str]:
        """Count the links among what is read."""
        found = super().get_readonly_fields(request, obj)
        return found if self.fields else (*found, "linked")

    def lead_to(self, request: HttpRequest, page: str, *args: object) -> HttpResponseRedirect:
        """Lead from a row to the page of staff that shows it, whoever may read the row.

        Raises:
            PermissionDenied: the user may not.
            Http404: no page has such an id.
        """
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            return HttpResponseRedirect(reverse(page, args=args))
        except NoReverseMatch as error:
            raise Http404 from error

    @admin.display(description="Rows that name this one")
    def linked(self, row: Model) -> str:
        """Return links to the lists of rows that name this one; they ask the database nothing."""
        return format_html_join("", '<div><a href="{}">{}</a></div>', self._links(row)) or "-"

    def _links(self, row: Model) -> Iterator[tuple[str, str]]:
        for relation in self.model._meta.related_objects:  # noqa: SLF001  (Django's own way)
            other = relation.related_model
            if relation.one_to_many or relation.one_to_one:
                meta = other._meta  # noqa: SLF001
                if self.admin_site.is_registered(other):
                    at = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
                    field = relation.field
                    where = f"{field.name}__{field.target_field.name}__exact"
                    name = f"{meta.verbose_name_plural} ({field.verbose_name})".capitalize()
                    yield f"{at}?{where}={row.pk}", name

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Show the app to whoever may read cases."""
        return may_read(request.user)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002  (Django's signature)
        """Show rows to whoever may read cases."""
        return may_read(request.user)

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002  (Django's signature)
        """Nobody adds rows here."""
        return False

    def has_change_permission(
        self,
        request: HttpRequest,  # noqa: ARG002  (Django's signature)
        obj: Model | None = None,  # noqa: ARG002  (Django's signature)
    ) -> bool:
        """Nobody changes rows here."""
        return False

    def has_delete_permission(
        self,
        request: HttpRequest,  # noqa: ARG002  (Django's signature)
        obj: Model | None = None,  # noqa: ARG002  (Django's signature)
    ) -> bool:
        """Nobody deletes rows here."""
        return False
