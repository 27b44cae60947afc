"""All parsers, by name."""

from __future__ import annotations

from tests.fuzzing import of_audits, of_lineage, of_models, of_the_api, of_the_trail, of_the_web

PARSERS = {
    one.name: one
    for part in (of_lineage, of_the_api, of_models, of_the_trail, of_audits, of_the_web)
    for one in part.parsers()
}
