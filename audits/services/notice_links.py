"""The link by which whoever is told acknowledges a notice. It does not expire, as it does not."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.core import signing
from django.urls import reverse

from audits.models import Notice

SALT = "audits.notice"


class LinkUnknown(LookupError):
    """The link is none of ours."""


def link_token(notice: Notice) -> str:
    """Return what the link of a notice ends in."""
    return signing.dumps(str(notice.pk), salt=SALT)


def ack_url(notice: Notice) -> str:
    """Return the link of a notice."""
    return settings.SITE_URL + reverse("audits:acknowledge", args=[link_token(notice)])


def notice_of_link(token: str) -> Notice:
    """Return the notice of a link.

    Raises:
        LinkUnknown: it is none of ours.
    """
    try:
        pk = UUID(str(signing.loads(token, salt=SALT)))
    except (signing.BadSignature, ValueError) as error:
        raise LinkUnknown("This link is not one of ours, or not all of it was opened.") from error
    found = Notice.objects.select_related("recipient", "publication", "deployment__version")
    notice = found.filter(pk=pk).first()
    if notice is None:
        raise LinkUnknown("The notice of this link is not kept any more.")
    return notice
