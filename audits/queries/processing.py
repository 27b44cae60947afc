"""The record of processing (Art. 30(1)): what staff said, and what the platform knows."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings

from audits.core.events import instant
from audits.core.processing import FIELDS, REQUESTS, Activity, ProcessingRecord, Told
from audits.core.processing_words import WORDS
from audits.core.roles import ROLES
from audits.models import ProcessingActivity, Recipient
from audits.queries.policy_values import in_force
from audits.queries.processing_facts import processing_facts
from lineage.models import Dataset, Location

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from django.db.models import QuerySet

    from audits.queries.processing_facts import Facts as Known
    from lineage.models import ModelVersion

    Facts = dict[str, list[str]]

NONE, NOBODY = "none", UUID(int=0)


class LanguageUnknown(ValueError):
    """The record cannot be written in this language."""


def processing_record(*, now: datetime, language: str = "en") -> ProcessingRecord:
    """Return the record as it stands now: data sets, active places, and the cases themselves.

    Raises:
        LanguageUnknown: the sentence names what is allowed.
    """
    if language not in WORDS:
        raise LanguageUnknown(f"language is {language!r}; allowed are {', '.join(WORDS)}.")
    words, known = WORDS[language], processing_facts()
    return ProcessingRecord(
        language=language,
        made_at=instant(now),
        contacts=_contacts(words),
        activities=(
            *(_dataset(one, known, words) for one in _datasets()),
            *(_place(one, known, words) for one in Location.objects.filter(active=True)),
            _requests(known, words),
        ),
    )


def _datasets() -> QuerySet[Dataset]:
    return Dataset.objects.order_by("namespace", "name")


def described(target: Dataset | Location | None) -> ProcessingActivity | None:
    """Return the newest description of a data set or a place; None is the handling of requests."""
    if target is None:
        own = ProcessingActivity.objects.filter(dataset=None, location=None)
        return own.order_by("number").last()
    return target.processing.order_by("number").last()


def target_of(kind: str, name: str) -> Dataset | Location | None:
    """Return the data set ``NAMESPACE/NAME`` or the place ``SLUG``; kind as in an activity."""
    if kind == "place":
        return Location.objects.filter(slug=name).first()
    namespace, _, short = name.rpartition("/")
    return Dataset.objects.filter(namespace=namespace or "default", name=short).first()


def _contacts(words: Mapping[str, str]) -> dict[str, str]:
    name, contact = in_force("CONTROLLER"), in_force("CONTACT")
    joint = Recipient.objects.filter(role=Recipient.Role.JOINT, active=True).order_by("name")
    names = ", ".join(joint.values_list("name", flat=True))

    def said(text: str) -> str:
        return words["none"] if text.lower() == NONE else text

    return {
        "controller": f"{name}, {contact}" if name and contact else "",
        "joint": names or words["none_registered"],
        "representative": said(in_force("REPRESENTATIVE")),
        "dpo": said(in_force("DPO")),
    }


def _dataset(dataset: Dataset, known: Known, words: Mapping[str, str]) -> Activity:
    facts: Facts = defaultdict(list)
    facts["data"] = [words["kind"].format(kind=dataset.dataset_type)]
    facts["recipients"] = _received(dataset, known, words)
    if last := known.last_backup:
        facts["retention"] = [words["backups"].format(day=last.date().isoformat())]
    return _activity(
        key=f"dataset:{dataset}",
        target=dataset,
        title=words["dataset"].format(name=dataset),
        facts=facts,
        models=tuple(_version(one, words) for one in known.learned.get(dataset.pk, ())),
        staff=known.description(dataset),
        words=words,
    )


def _place(place: Location, known: Known, words: Mapping[str, str]) -> Activity:
    facts: Facts = defaultdict(list)
    facts["purposes"] = [place.purpose] if place.purpose else []
    facts["data"] = [words["kind"].format(kind=place.category)]
    if place.retention_days is not None:
        facts["retention"] = [words["days"].format(days=place.retention_days)]
    if place.mask_reason:
        facts["retention"].append(words["masked"].format(reason=place.mask_reason))
    return _activity(
        key=f"place:{place.slug}",
        target=place,
        title=words["place"].format(name=place.slug),
        staff=known.description(place),
        facts=facts,
        words=words,
    )


def _requests(known: Known, words: Mapping[str, str]) -> Activity:
    """What this platform does by itself. To whom mail and hosting disclose it, it cannot know."""
    facts: Facts = defaultdict(list)
    for name in ("purposes", "subjects", "data"):
        facts[name] = [words[f"requests_{name}"]]
    facts["retention"] = [words["requests_retention"].format(days=in_force("CASE_DAYS"))]
    return _activity(
        key=REQUESTS,
        title=words["requests"],
        target=None,
        staff=known.description(None),
        facts=facts,
        words=words,
    )


def _activity(  # noqa: PLR0913  (the fields of an activity)
    *,
    key: str,
    title: str,
    target: Dataset | Location | None,
    staff: ProcessingActivity | None,
    facts: Facts,
    words: Mapping[str, str],
    models: tuple[str, ...] = (),
) -> Activity:
    facts["measures"] = list(_measures(words))
    fields = {
        name: Told(said=_said(staff, name), known=tuple(facts.get(name, ()))) for name in FIELDS
    }
    number = staff.number if staff else 0
    return Activity(
        key=key,
        id=str(target.pk if target else NOBODY),
        title=title,
        number=number,
        fields=fields,
        models=models,
    )


def _said(staff: ProcessingActivity | None, name: str) -> str:
    if staff is None:
        return ""
    if name == "basis":
        return staff.get_basis_display() if staff.basis else ""
    text: str = getattr(staff, name)
    return text


def _version(version: ModelVersion, words: Mapping[str, str]) -> str:
    return words["learned"].format(
        version=version,
        state=version.state,
        day=version.generated_at.date().isoformat(),
        recipe=version.generated_by.recipe or version.generated_by.activity,
    )


def _received(dataset: Dataset, known: Known, words: Mapping[str, str]) -> list[str]:
    """Return who has the data set, or a version that learned from it; names and no addresses."""
    role = {"PROCESSOR": "processor", "JOINT": "joint_one", "RECIPIENT": "recipient"}
    told = [
        words[role[one.role]].format(name=one.name, contract=one.contract_ref)
        for one in known.recipients_of(dataset)
    ]
    public = known.publications_of(dataset)
    return told + [words["public"].format(name=one.address) for one in public]


def _measures(words: Mapping[str, str]) -> tuple[str, ...]:
    found = [words["roles"].format(count=len(ROLES)), words["log"], words["pseudonyms"]]
    second = f"second_{settings.EXPUNGE_SECOND_PERSON}"
    found += [words[second]] if second in words else []
    if settings.EXPUNGE_KEYS_PASSPHRASE or settings.EXPUNGE_SIGNERS:
        found.append(words["keys_encrypted"])
    if settings.SITE_URL.startswith("https://"):
        found.append(words["https"])
    return tuple(found)
