"""Say what waits for which training, and what to act on."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from audits.queries import schedule
from audits.queries.groups import groups, waiting
from audits.queries.waiting import coalesces


class Command(BaseCommand):
    """``manage.py schedule``."""

    help = "Show which cases wait for the same training, the bound on their age, and warnings."

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        """Print the groups, the oldest first, then the bound; warnings go to standard error."""
        now = timezone.now()
        found = groups() if coalesces() else []
        known, capacity = schedule.backlog(found, schedule.days(now))
        for one in found:
            names = ", ".join(case.reference for case in one.cases)
            latest = min(map(schedule.latest_start, one.cases))
            in_shards = any(known.runs[name].shards > 1 for name in one.versions)
            shards = f"{len(one.places)} shards of " if in_shards else ""
            self.stdout.write(
                f"{shards}{len(one.versions)} versions wait until {latest:%Y-%m-%d} at the "
                f"latest: {names}"
            )
        behind = waiting().count() - sum(len(one.cases) for one in found) if coalesces() else 0
        if behind:
            self.stdout.write(f"Behind another case at one of their versions: {behind}.")
        if not found and not behind:
            self.stdout.write("No case waits for others.")
        bound = capacity.age_bound(known.whole, wait=schedule.waited_on_purpose())
        self.stdout.write(
            f"{len(known.runs)} trainings in {known.shards} shards, {capacity.per_day:.3g} of the "
            f"longest jobs a day: no request becomes older than {bound:.2g} days."
        )
        for sentence in schedule.alerts(now):
            self.stderr.write(self.style.WARNING(sentence))
