"""System checks of an installation."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core import checks

from audits.core.instance import models_needed
from audits.core.policy import AuditData, EvidencePolicy, PolicyRefused
from unlearning.core.shares import refused
from unlearning.queries.catalogue import KEPT, declared_methods

if TYPE_CHECKING:
    from collections.abc import Iterator

# SQLite before this version may corrupt a WAL database when a write meets a checkpoint.
REPAIRED = (3, 51, 3)
SHARDED = "unlearning.recipes.sharded"
MOST_DAYS = 3650  # of a certificate
MOST_SHARDS = 1000  # as that recipe declares
MOST_SHADOW_DAYS = 366
MOST_BITS = 20  # about a million digests, half a minute of a telephone


@checks.register()
def sqlite_is_repaired(**_: Any) -> list[checks.CheckMessage]:  # noqa: ANN401  (Django's signature)
    """Warn of an SQLite that is not safe with several processes."""
    engine = settings.DATABASES["default"]["ENGINE"]
    if "sqlite3" not in engine or sqlite3.sqlite_version_info >= REPAIRED:
        return []
    return [
        checks.Warning(
            f"SQLite {sqlite3.sqlite_version} may corrupt its file when several workers write.",
            hint="Install pysqlite3>=0.6.1 (make setup does on Linux), or use PostgreSQL through "
            "DATABASE_URL.",
            id="expunge.W001",
        )
    ]


@checks.register()
def shards_can_be_trained(**_: Any) -> list[checks.CheckMessage]:  # noqa: ANN401  (as above)
    """Refuse numbers of shards and slices that no training can have."""
    said = [
        f"{name} is {value}; it must be between 0 and {MOST_SHARDS}."
        for name in ("EXPUNGE_SHARDS", "EXPUNGE_SLICES")
        if (value := getattr(settings, name)) > MOST_SHARDS
    ]
    if settings.EXPUNGE_SHARDS > 1 and not _importable(SHARDED):
        said.append(
            f"EXPUNGE_SHARDS is {settings.EXPUNGE_SHARDS}, and EXPUNGE_RECIPE_MODULES does not "
            f"allow {SHARDED}, which trains shards; add it."
        )
    return [checks.Error(each, hint="See docs/exact.md.", id="expunge.E003") for each in said]


@checks.register()
def canaries_can_be_planted(**_: Any) -> list[checks.CheckMessage]:  # noqa: ANN401  (as above)
    """Refuse a number of canaries whose shares would show nothing."""
    said = refused("EXPUNGE_CANARIES", settings.EXPUNGE_CANARIES)
    return [checks.Error(said, hint="See docs/attacks.md.", id="expunge.E020")] if said else []


@checks.register()
def a_browser_can_do_the_work(**_: Any) -> list[checks.CheckMessage]:  # noqa: ANN401  (as above)
    """Refuse a calculation that would keep a person waiting for minutes."""
    bits = settings.EXPUNGE_PROOF_OF_WORK
    if bits <= MOST_BITS:
        return []
    said = f"EXPUNGE_PROOF_OF_WORK is {bits}; it must be between 0 and {MOST_BITS}."
    return [checks.Error(said, hint="See docs/public-pages.md.", id="expunge.E021")]


def _importable(module: str) -> bool:
    listed: list[str] = settings.EXPUNGE_RECIPE_MODULES
    return any(module == entry or module.startswith(f"{entry}.") for entry in listed)


@checks.register()
def unlearning_method_is_usable(**_: Any) -> list[checks.CheckMessage]:  # noqa: ANN401  (as above)
    """Refuse a method that no case could use, or numbers that it does not have."""
    name, methods = settings.EXPUNGE_METHOD, declared_methods()
    usable = [one for one, said in methods.items() if _usable(said)]
    if name not in usable:
        return [
            checks.Error(
                f"EXPUNGE_METHOD is {name!r}, which "
                f"{'needs what is not kept' if name in methods else 'is no method'}.",
                hint=f"Set it to one of: {', '.join(usable)}. See manage.py methods.",
                id="expunge.E001",
            )
        ]
    return [
        checks.Error(
            f"EXPUNGE_METHOD_SETTINGS: {said}", hint="See docs/methods.md.", id="expunge.E002"
        )
        for said in _wrong(settings.EXPUNGE_METHOD_SETTINGS, methods[name])
    ]


@checks.register()
def accepted_privacy_is_meant(**_: Any) -> list[checks.CheckMessage]:  # noqa: ANN401  (as above)
    """Refuse an accepted (epsilon, delta) that means nothing, or that no plan could take."""
    epsilon, delta = settings.EXPUNGE_ACCEPT_EPSILON, settings.EXPUNGE_ACCEPT_DELTA
    found: list[checks.CheckMessage] = []
    if not 0 < delta < 1:
        found.append(
            checks.Error(
                f"EXPUNGE_ACCEPT_DELTA is {delta:g}; it must lie between 0 and 1.",
                hint="Well below 1 / number of people: 1e-5, or less.",
                id="expunge.E004",
            )
        )
    if epsilon and settings.EXPUNGE_MINIMUM in ("SAME_RECIPE", "BIT_EXACT"):
        found.append(
            checks.Error(
                f"EXPUNGE_ACCEPT_EPSILON is {epsilon:g}, and EXPUNGE_MINIMUM is "
                f"{settings.EXPUNGE_MINIMUM}, which differential privacy does not reach.",
                hint="Leave EXPUNGE_MINIMUM empty, or set EXPUNGE_ACCEPT_EPSILON to 0.",
                id="expunge.E005",
            )
        )
    return found


@checks.register()
def waiting_fits_the_deadline(**_: Any) -> list[checks.CheckMessage]:  # noqa: ANN401  (as above)
    """Refuse to let requests wait for one another until they are late."""
    wait, deadline = settings.EXPUNGE_COALESCE_DAYS, settings.EXPUNGE_DEADLINE_DAYS
    if wait < deadline:
        return []
    return [
        checks.Error(
            f"EXPUNGE_COALESCE_DAYS is {wait:g}, and EXPUNGE_DEADLINE_DAYS is {deadline:g}: a "
            "request would wait for others until it is late.",
            hint="Let requests wait for fewer days than they may take in all.",
            id="expunge.E006",
        )
    ]


@checks.register()
def certificates_expire(**_: Any) -> list[checks.CheckMessage]:  # noqa: ANN401  (as above)
    """Refuse certificates that would outlive what they were issued for."""
    days = settings.EXPUNGE_CERTIFICATE_DAYS
    if 0 <= days <= MOST_DAYS:
        return []
    return [
        checks.Error(
            f"EXPUNGE_CERTIFICATE_DAYS is {days:g}; it must lie between 0 and {MOST_DAYS}.",
            hint="See docs/certificates.md.",
            id="expunge.E008",
        )
    ]


@checks.register()
def shadows_live_as_long_as_needed(**_: Any) -> list[checks.CheckMessage]:  # noqa: ANN401  (as above)
    """Refuse to keep shadow models for years, or to destroy them while a request is in time."""
    days, deadline = settings.EXPUNGE_SHADOW_DAYS, settings.EXPUNGE_DEADLINE_DAYS
    said = ""
    if days > MOST_SHADOW_DAYS:
        said = f"{days}; it must be at most {MOST_SHADOW_DAYS}: what it keeps is about people."
    elif days < deadline:
        said = (
            f"{days}, and EXPUNGE_DEADLINE_DAYS is {deadline:g}: the shadow models of a request "
            "that is in time would be destroyed before there is a verdict."
        )
    if not said:
        return []
    return [
        checks.Error(
            f"EXPUNGE_SHADOW_DAYS is {said}",
            hint="Two months are enough for what the law gives one for.",
            id="expunge.E007",
        )
    ]


@checks.register()
def suppression_is_kept_long_enough(**_: Any) -> list[checks.CheckMessage]:  # noqa: ANN401  (as above)
    """Refuse to let somebody be imported again before their own case is closed."""
    days, deadline = settings.EXPUNGE_SUPPRESSION_DAYS, settings.EXPUNGE_DEADLINE_DAYS
    if not days or days >= deadline:
        return []
    return [
        checks.Error(
            f"EXPUNGE_SUPPRESSION_DAYS is {days}; it must be 0, which is for ever, or at least "
            f"{deadline:g}, the days of EXPUNGE_DEADLINE_DAYS.",
            hint="See docs/locations.md.",
            id="expunge.E009",
        )
    ]


@checks.register()
def instance_tests_are_meant(**_: Any) -> list[checks.CheckMessage]:  # noqa: ANN401  (as above)
    """Warn of an instance test that trains more models than the pool may have."""
    try:
        policy = EvidencePolicy.from_dict(settings.EXPUNGE_POLICY)
    except PolicyRefused:
        return []  # which whoever plans a case is told
    needed = models_needed(policy)
    if policy.audit_data is not AuditData.SURROGATE or needed <= policy.max_trainings:
        return []
    return [
        checks.Warning(
            f"EXPUNGE_POLICY: alpha_instance is {policy.alpha_instance:g}, for which each audit "
            f"trains {needed} models for the instance test; max_trainings is "
            f"{policy.max_trainings}, and does not count them.",
            hint="Set a larger alpha_instance, or a larger max_trainings if that is meant.",
            id="expunge.W002",
        )
    ]


def _usable(said: dict[str, Any]) -> bool:
    able = said["granularity"] == "RECORD" and said["guarantee"] != "CERTIFIED"
    return able and set(said["needs"]) <= KEPT


def _wrong(numbers: dict[str, Any], said: dict[str, Any]) -> Iterator[str]:
    known = {one["name"]: one for one in said["hyperparameters"]}
    for name, value in numbers.items():
        if name not in known:
            yield f"{said['name']} has no number {name!r}; it has {', '.join(known) or 'none'}."
        elif value is None and known[name]["optional"]:
            continue
        elif not _inside(value, known[name]):
            low, high = known[name]["low"], known[name]["high"]
            yield f"{name} is {value!r}; it must be a number from {low:g} to {high:g}."


def _inside(value: object, allowed: dict[str, Any]) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and bool(allowed["low"] <= value <= allowed["high"])


@checks.register()
def two_people_decide(**_: Any) -> list[checks.CheckMessage]:  # noqa: ANN401  (as above)
    """Warn where one person can have data erased."""
    if settings.EXPUNGE_SECOND_PERSON == "ALWAYS":
        return []
    alone = "accepts" if settings.EXPUNGE_SECOND_PERSON == "REFUSALS" else "accepts or refuses"
    return [
        checks.Warning(
            f"EXPUNGE_SECOND_PERSON is {settings.EXPUNGE_SECOND_PERSON}: one person {alone} "
            "requests alone, and deletion cannot be undone.",
            hint="Give a second member of staff the role Reviewer. See docs/decisions.md.",
            id="expunge.W003",
        )
    ]
