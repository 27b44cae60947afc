"""The contents of records that staff decide about, for those who may."""

from __future__ import annotations

import base64
import hashlib
import json
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from audits.services import previews
from audits.views.access import staff_of
from audits.views.rights import may, needing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from django.http import HttpRequest
    from pyroaring import BitMap

    from lineage.models import OrdinalSpace

SALT = "audits.preview"
SECONDS = 600  # for which a picture can be fetched after its page was opened

Looked = dict[tuple[int, int | None], dict[str, Any]]


def asked(request: HttpRequest) -> bool:
    """Return whether the contents are to be shown, to somebody who may open them."""
    return request.GET.get("show") == "contents" and may_open(request)


def may_open(request: HttpRequest) -> bool:
    """Return whether the member of staff proposes or approves, and so may open records."""
    return may(request, *previews.LOOKERS)


def looked_at(
    request: HttpRequest, case_id: UUID, records: Mapping[OrdinalSpace, BitMap]
) -> Looked:
    """Open records for the page that is asked for; return each by space and ordinal.

    Raises:
        NothingToLookAt: as ``previews.look_at``.
    """
    return _looked_at(request, records, partial(previews.look_at, case_id=case_id))


def held_looked_at(request: HttpRequest, records: Mapping[OrdinalSpace, BitMap]) -> Looked:
    """Open records that are alike under two targets, likewise."""
    return _looked_at(request, records, previews.look_at_held)


def _looked_at(
    request: HttpRequest,
    records: Mapping[OrdinalSpace, BitMap],
    look_at: Callable[..., previews.Opened],
) -> Looked:
    user, now = staff_of(request), timezone.now()
    found: Looked = {}
    for space, ordinals in records.items():
        opened = look_at(space=space, ordinals=ordinals, user=user, now=now)
        for ordinal, shown in opened.records.items():
            told: dict[str, Any] = {"shown": shown}
            if shown.picture and opened.opening:
                token = _sealed(str(opened.opening.pk), ordinal, user.pk)
                told["address"] = reverse("audits:record_picture", args=[token])
            found[space.pk, ordinal] = told
    return found


def _sealed(*values: str | int) -> str:
    """Return an address that says nothing: servers write addresses into their logs."""
    return _box().encrypt(json.dumps(values).encode()).decode()


def _box() -> Fernet:
    key = hashlib.sha256(f"{SALT}:{settings.SECRET_KEY}".encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))


@require_safe
@needing(*previews.LOOKERS)
def picture(request: HttpRequest, token: str) -> HttpResponse:
    """Return one record as a small picture, to whoever opened it a while ago, for that page."""
    try:
        opening, ordinal, user = json.loads(_box().decrypt(token, ttl=SECONDS))
    except InvalidToken as error:
        raise Http404 from error
    if user != staff_of(request).pk:
        raise Http404
    data = previews.picture(opening_id=UUID(opening), ordinal=ordinal)
    if data is None:
        raise Http404
    return HttpResponse(data, content_type="image/png")
