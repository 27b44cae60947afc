"""Webhooks that need somebody, for the first page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils.translation import gettext as _

from audits.queries.webhooks import in_trouble
from audits.services.webhooks import MINDERS
from audits.views.need_groups import Line, group
from audits.views.webhook_health import health_badge
from audits.views.wording import BAD

if TYPE_CHECKING:
    from audits.views.need_groups import Group


def webhook_needs() -> list[Group]:
    """Return the webhooks that gave messages up, or whose receiver is gone; one query."""
    found = group(
        (
            "WEBHOOKS",
            _("Webhooks that lost messages"),
            _("Put the receiver right, then send them again."),
            BAD,
            MINDERS,
        ),
        in_trouble(),
        lambda one: Line(
            href=f"{reverse('audits:webhook', args=[one.pk])}?state=FAILED",
            label=one.name,
            note=health_badge(one)[1],
        ),
        reverse("audits:webhooks"),
    )
    return [found] if found.total else []
