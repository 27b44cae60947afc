"""Webhooks and their messages. They are changed by command, by the API and on their own pages."""

from __future__ import annotations

from django.contrib import admin

from audits.models import Webhook, WebhookDelivery
from lineage.admin import ReadOnlyAdmin


@admin.register(Webhook)
class WebhookAdmin(ReadOnlyAdmin):
    """Systems that are told; an address may hold a secret of theirs and is not listed."""

    list_display = ("name", "state", "because", "next_index", "failures", "answered_at")
    list_filter = ("state", "because")
    search_fields = ("name",)
    exclude = ("url",)


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ReadOnlyAdmin):
    """One message to one system; the bytes stand on the page of the webhook."""

    list_display = ("id", "webhook", "kind", "index", "state", "attempts", "status", "sent_at")
    list_filter = ("state", "kind")
    search_fields = ("id", "webhook__name")
    list_select_related = ("webhook",)
    exclude = ("body",)
