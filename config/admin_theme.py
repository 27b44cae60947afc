"""How the Django admin looks."""

from __future__ import annotations

THEME = {
    "SITE_TITLE": "Expunge",
    "SITE_HEADER": "Expunge",
    "SITE_SYMBOL": "account_tree",
    "SITE_URL": "/cases/",
    "SIDEBAR": {"show_search": True, "show_all_applications": True},
}
