"""The web process."""

from __future__ import annotations

import gc
import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.template.loader import get_template
from django.urls import get_resolver

from config import tracing

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_wsgi_application()
tracing.switch_on(serves=True)
get_resolver().check()  # loads every page now, and not while the first visitor waits
for page in (settings.BASE_DIR / "templates").rglob("*.html"):
    get_template(str(page.relative_to(settings.BASE_DIR / "templates")))
# All of that stays for good, and what pages keep for one another stays long. To look through it
# for rubbish takes a page a tenth of a second: what is new is looked at often, what is old seldom.
gc.freeze()
gc.set_threshold(5_000, 20, 20)
