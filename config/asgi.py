"""The web process."""

from __future__ import annotations

import os

from django.core.asgi import get_asgi_application

from config import tracing

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_asgi_application()
tracing.switch_on(serves=True)
