"""The web process."""

from __future__ import annotations

import gc
import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from config import tracing

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_wsgi_application()
tracing.switch_on(serves=True)
get_resolver().check()  # loads every page now, and not while the first visitor waits
# All of that stays for good. Looking through it for rubbish would take a page a tenth of a second.
gc.freeze()
