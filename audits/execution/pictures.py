"""The pictures of a report that are drawn from the sealed record alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils import translation
from django.utils.translation import gettext as _

from audits.execution.provenance_picture import provenance_svg
from audits.execution.svg_text import description_of
from audits.execution.timeline_picture import timeline_svg

if TYPE_CHECKING:
    from collections.abc import Mapping

DRAWN = {"provenance": provenance_svg, "timeline": timeline_svg}
CAPTIONS = {
    "provenance": "From the data to the model versions, and what became of them.",
    "timeline": "The course of the case, with the share of time of each step.",
}


def pictures_of(
    findings: Mapping[str, Any], *, language: str = "en"
) -> tuple[dict[str, dict[str, str]], dict[str, str]]:
    """Return name, alternative text and caption of each picture, and the pictures by name.

    Left out where a record has nothing to draw. The same findings give the same bytes.
    """
    told, drawn = {}, {}
    for name, draw in DRAWN.items():
        svg = draw(findings, language=language)
        if svg is None:
            continue
        with translation.override(language):
            told[name] = {"name": name, "alt": description_of(svg), "caption": _(CAPTIONS[name])}
        drawn[name] = svg.decode()
    return told, drawn
