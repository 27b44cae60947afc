"""How a webhook stands, in the language of the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from audits.core import webhook_words as codes
from audits.queries.webhooks import health
from audits.views.wording import BAD, CARE, GOOD

if TYPE_CHECKING:
    from audits.models import Webhook

TONES = {
    codes.GONE: BAD,
    codes.PAUSED: CARE,
    codes.FAILING: BAD,
    codes.FAILED: CARE,
    codes.ANSWERS: GOOD,
    codes.UNTOLD: "",
}


def health_badge(hook: Webhook) -> tuple[str, str]:
    """Return how a webhook stands as a tone and words."""
    code = health(hook)
    return TONES[code], _(codes.HEALTH[code]) % {"count": hook.failures}
