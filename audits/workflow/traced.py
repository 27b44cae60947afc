"""Steps and actions as spans of their cases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone

from lineage.core import spans
from lineage.core.log_context import bound

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from audits.models import ErasureRequest


def take(step: Callable[[ErasureRequest, datetime], bool], request: ErasureRequest) -> bool:
    """Take a step, and say in logs and traces of which case; return what it returns.

    A step of which nothing came is no span: a sweep takes it every few seconds.
    """
    name = step.__name__.strip("_")
    about = {"case": request.reference, "step": name, "state": request.status}
    with (
        bound(case=request.reference),
        spans.of_case(request.pk, f"step {name}", **about) as opened,
    ):
        taken = step(request, timezone.now())
        if not taken:
            opened.drop_idle()
        return taken
