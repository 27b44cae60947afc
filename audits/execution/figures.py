"""The pictures that a payload names by digest: stored once, and the same for the same numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone

from audits.execution.histograms import histogram_svg
from audits.execution.power_plot import power_svg
from lineage.models import Artefact
from lineage.services.artefacts import store_artefact

if TYPE_CHECKING:
    from audits.core.kept import Kept
    from audits.core.policy import EvidencePolicy


def figures_of(kept: Kept, policy: EvidencePolicy) -> dict[str, str]:
    """Draw and store what the kept numbers and the policy show; return digests by name."""
    drawn = {"histograms": histogram_svg(kept), "power": power_svg(kept, policy)}
    return {name: store_picture(svg).sha256 for name, svg in drawn.items() if svg is not None}


def store_picture(svg: bytes) -> Artefact:
    """Keep a picture beside the evidence."""
    return store_artefact(kind=Artefact.Kind.PLOT, data=svg, now=timezone.now())
