"""Deployments: where versions run, as programs say it."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from expunge.areas.asking import Area, given, part

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expunge.answers import Deployment


class DeploymentCalls(Area):
    """The register of deployments (scope ``serve`` or ``capture``)."""

    def deployments(self) -> Iterator[Deployment]:
        """Yield what keys of this name said runs somewhere, the newest first, page by page."""
        return cast("Iterator[Deployment]", self._calls.items("deployments"))

    def deploy(  # noqa: PLR0913  (the fields of a deployment)
        self,
        version: str,
        place: str,
        *,
        kind: str = "ENDPOINT",
        contact: str = "",
        locale: str = "",
        note: str = "",
        key: str = "",
    ) -> Deployment:
        """Say that a version runs at a place; what of its model ran there is switched over.

        Args:
            version: its identifier.
            place: where, in words.
            kind: ENDPOINT, HUB, DEVICE, BATCH or OTHER.
            contact: the e-mail address that is told when the version must go.
            locale: the language of that letter.
            note: what else is worth knowing.
            key: the Idempotency-Key.
        """
        said = given(place=place, kind=kind, contact=contact, locale=locale, note=note)
        made = self._calls.post("deployments", {"version": version, **said}, key=key)
        return cast("Deployment", made)

    def withdrawn(self, deployment: str) -> Deployment:
        """Say that a version is gone from a place, with every copy there."""
        gone = self._calls.post(f"deployments/{part(deployment)}/withdrawn", {})
        return cast("Deployment", gone)
