"""How the Django admin looks."""

from __future__ import annotations

from django.templatetags.static import static

THEME = {
    "SITE_TITLE": "Expunge",
    "SITE_HEADER": "Expunge",
    "SITE_SYMBOL": "account_tree",
    "SITE_URL": "/home/",
    "SITE_FAVICONS": [
        {
            "rel": "icon",
            "type": "image/svg+xml",
            "href": lambda request: static("expunge/mark.svg"),  # noqa: ARG005  (unfold's signature)
        }
    ],
    "SIDEBAR": {"show_search": True, "show_all_applications": True},
}
