"""The systems that are told what happens: how each stands, and what became of each message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from audits import workflow
from audits.core.webhook_events import KINDS
from audits.models import WebhookDelivery
from audits.queries import webhooks as queries
from audits.services.webhooks import MINDERS, WebhookNotHere
from audits.views.access import page, staff_of, staff_page
from audits.views.rights import may, needing
from audits.views.webhook_health import health_badge

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from django.http import HttpRequest, HttpResponse

PER_PAGE = 50
STATES = WebhookDelivery.State


@require_safe
@staff_page
def webhook_list(request: HttpRequest) -> HttpResponse:
    """List who is told what, and how that goes."""
    found = queries.webhooks()
    shown = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    rows = [{"hook": one, "health": health_badge(one)} for one in shown]
    context = {"shown": shown, "rows": rows, "hours": settings.EXPUNGE_WEBHOOK_HOURS}
    return page(request, "audits/webhooks.html", context)


@require_safe
@staff_page
def webhook(request: HttpRequest, webhook_id: UUID) -> HttpResponse:
    """Show one: what it is told, and its messages, the newest first."""
    found = get_object_or_404(queries.webhooks(), pk=webhook_id)
    state = request.GET.get("state", "")
    sent = queries.deliveries(webhook_id)
    if state in STATES.values:
        sent = sent.filter(state=state)
    now = timezone.now()
    context = {
        "hook": found,
        "health": health_badge(found),
        "kinds": [(one, KINDS[one].words) for one in found.kinds if one in KINDS],
        "shown": Paginator(sent, PER_PAGE).get_page(request.GET.get("page")),
        "state": state if state in STATES.values else "",
        "states": STATES.choices,
        "may_mind": may(request, *MINDERS),
        "two_secrets": found.previous_until is not None and found.previous_until > now,
    }
    return page(request, "audits/webhook.html", context)


@require_POST
@needing(*MINDERS)
def pause(request: HttpRequest, webhook_id: UUID) -> HttpResponse:
    """Tell it nothing until it is resumed."""
    done = _("It is paused. What happens meanwhile is told when it goes on.")
    return _carried_out(request, webhook_id, workflow.pause_webhook, done)


@require_POST
@needing(*MINDERS)
def resume(request: HttpRequest, webhook_id: UUID) -> HttpResponse:
    """Tell it again."""
    done = _("It goes on, first with what happened meanwhile.")
    return _carried_out(request, webhook_id, workflow.resume_webhook, done)


@require_POST
@needing(*MINDERS)
def test(request: HttpRequest, webhook_id: UUID) -> HttpResponse:
    """Send a message that tells of nothing."""
    done = _("A test message goes out in a moment; load the page again to see the answer.")
    return _carried_out(request, webhook_id, workflow.test_webhook, done)


def _carried_out(
    request: HttpRequest, webhook_id: UUID, action: Callable[..., object], done: str
) -> HttpResponse:
    try:
        action(webhook_id=webhook_id, user=staff_of(request))
    except WebhookNotHere as error:
        raise Http404(str(error)) from error
    messages.success(request, done)
    return redirect("audits:webhook", webhook_id=webhook_id)


@require_POST
@needing(*MINDERS)
def again(request: HttpRequest, webhook_id: UUID, delivery_id: UUID) -> HttpResponse:
    """Send a message again."""
    get_object_or_404(WebhookDelivery, pk=delivery_id, webhook=webhook_id)
    workflow.send_message_again(delivery_id=delivery_id, user=staff_of(request))
    messages.success(request, _("It is sent again in a moment, with the id that it had."))
    return redirect("audits:webhook", webhook_id=webhook_id)
