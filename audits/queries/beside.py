"""What belongs to a case one to one; of a case that a page loaded whole, without asking again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django.db.models import Model, QuerySet

    from audits.models import ErasureRequest


def beside(request: ErasureRequest, name: str, *related: str) -> Any:  # noqa: ANN401  (a model)
    """Return the row that belongs to a case under a name such as ``clock``; None without one.

    Of a case that was not loaded whole it is read anew each time: others may have written it.
    """
    if request.loaded_whole:
        return getattr(request, name, None)
    model: Any = getattr(type(request), name).related.related_model
    rows: QuerySet[Model] = model.objects.filter(request=request)
    return rows.select_related(*related).first() if related else rows.first()
