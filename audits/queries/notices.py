"""Who would be told of a case, in which letter and language, and what stands in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audits.models import ErasureRequest, Notice, Publication, Reading
from audits.queries import ends, told
from audits.queries.letter_texts import known_locale
from audits.queries.letter_values import day_words, of_the_installation
from audits.queries.operator_cases import origin_of
from audits.queries.policy_values import in_force
from lineage.models import ModelVersion

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from audits.core.letter_layout import Values
    from audits.models import Recipient
    from lineage.models import Deployment

CODES = {
    "RECIPIENT": "RECIPIENT_NOTICE",
    "PUBLICATION": "PUBLICATION_NOTICE",
    "DEPLOYMENT": "DEPLOYMENT_NOTICE",
}
Kind, Occasion, S = ErasureRequest.Kind, Notice.Occasion, ErasureRequest.Status
# From here on whoever is told stands in the register of notices, or nobody is told any more.
NOTED = (S.ERASED, S.SEALED, S.REFUSED, S.WITHDRAWN)


def code_of(notice: Notice) -> str:
    """Return which letter a notice is."""
    if notice.target == "RECIPIENT" and notice.occasion == Occasion.RESTRICTED:
        return "RESTRICTION_NOTICE"
    return CODES[notice.target]


def locale_of(notice: Notice) -> str:
    """Return the language of a notice: that of its addressee, or else the installation's."""
    return known_locale(notice.addressee.locale or in_force("LANGUAGE"))


def reference_of(notice: Notice) -> str:
    """Return what an answer refers to: the case, or the notice itself where there is none."""
    return notice.request.reference if notice.request else f"N-{notice.pk.hex[:8].upper()}"


def notice_values(notice: Notice, locale: str, ack_url: str) -> Values:
    """Return every value that a notice may use; empty where there is none."""
    case, recipient, place = notice.request, notice.recipient, notice.deployment
    return {
        **of_the_installation(),
        "reference": reference_of(notice),
        "received_on": day_words(case.received_at, locale) if case else "",
        "addressee": place.place if place else str(notice.addressee),
        "contract": recipient.contract_ref if recipient else "",
        "what": (*notice.datasets, *notice.versions),
        "versions": tuple(_replaced(notice)),
        "ack_url": ack_url,
    }


def others_of(request: ErasureRequest, occasion: Notice.Occasion, now: datetime) -> list[Notice]:
    """Return a notice, not stored, for each recipient and publication that a case concerns.

    An operator's case concerns none; Art. 17(2), on publications, speaks of erasure only.
    """
    if origin_of(request):
        return []
    versions = {one.pk: str(one) for one in told.affected_versions(request)}
    datasets = {one.pk: str(one.name) for one in told.affected_datasets(request)}
    recipients, publications = told.recipients_of(list(versions), list(datasets))
    public = list(publications) if occasion == Occasion.ERASED else []
    concerned: list[Recipient | Publication] = [*recipients, *public]
    return [_draft(request, occasion, one, versions, datasets, now) for one in concerned]


def to_come(request: ErasureRequest, now: datetime) -> list[Notice]:
    """Return the notices that an open case leads to, as they are now; none is stored."""
    if request.status in NOTED:
        return []
    restricted = request.kind == Kind.RESTRICTION
    occasion = Occasion.RESTRICTED if restricted else Occasion.ERASED
    found = others_of(request, occasion, now)
    if not restricted:
        running = told.deployments_of(request).filter(acknowledged_at=None)
        found += [deployment_notice(one, request, now) for one in running]
    known = {one.addressee.pk for one in told.notices_of(request)}
    return [one for one in found if one.addressee.pk not in known]


def deployment_notice(place: Deployment, case: ErasureRequest | None, now: datetime) -> Notice:
    """Return a notice, not stored, to whoever runs a version that is destroyed."""
    return Notice(
        request=case,
        occasion=Occasion.ERASED if case else Occasion.DESTROYED,
        deployment=place,
        versions=[str(place.version)],
        created_at=now,
        next_at=now,
    )


def _draft(
    request: ErasureRequest,
    occasion: Notice.Occasion,
    one: Recipient | Publication,
    versions: dict[UUID, str],
    datasets: dict[UUID, str],
    now: datetime,
) -> Notice:
    had = set(one.versions.values_list("pk", flat=True)) | _fetched(one)
    data = set(one.datasets.values_list("pk", flat=True))
    notice = Notice(
        request=request,
        occasion=occasion,
        versions=[name for pk, name in versions.items() if pk in had],
        datasets=[name for pk, name in datasets.items() if pk in data],
        created_at=now,
        next_at=now,
    )
    setattr(notice, type(one).__name__.lower(), one)
    return notice


def _fetched(one: Recipient | Publication) -> set[UUID]:
    """Return the versions that somebody fetched with their API keys."""
    if isinstance(one, Publication) or not one.api_reader:
        return set()
    readings = Reading.objects.filter(reader=one.api_reader)
    return set(readings.values_list("version", flat=True))


def _replaced(notice: Notice) -> list[str]:
    """Return which of the named versions are replaced, and by which."""
    if notice.deployment:
        newer = _newer(notice.deployment)
        return [f"{notice.deployment.version} → {newer}"] if newer else []
    if notice.request is None or not notice.versions:
        return []
    became = {str(one.version): one.became for one in ends.ends_of(notice.request)}
    return [f"{name} → {became[name]}" for name in notice.versions if became.get(name)]


def _newer(place: Deployment) -> ModelVersion | None:
    """Return what is in use in the place of a version, where anything is."""
    usable = ModelVersion.objects.filter(
        model_name=place.model_name, state=ModelVersion.State.ACTIVE
    ).exclude(pk=place.version_id)
    return usable.exclude(kind=ModelVersion.Kind.SHADOW).order_by("-version").first()
