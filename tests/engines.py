"""Which tests of the database run on one engine only, and why one will do.

All that reads or writes rows runs on SQLite and again on PostgreSQL, but for the modules below.
Their subject is not the database, and what they call of it is held on both engines by the tests of
the services and queries themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

FOLDERS = {"views": "what a page says"}
MODULES = {
    "figures of an audit, from models that it trains": """
        attempts certificate_difficulty certificates certified committed_scores construction
        evidence_of_cases execution_bad_input fleet gating instance_models judging look_attacks
        not_finite planted private private_trainings shadow_engine shared_audits weighing
        whole_people 12_to_18""",
    "what a tuning finds, and what is done with it": "tuning tuning_restricted tuning_use",
    "what a text, a picture or a file says": """
        admin anonymity answer_words case_register demo_data editions explorer_pages export_case
        pdf_seal person_checks person_edition pictures processing prov public_edition questions
        regulator_sections report_places reporting tamper_matrix told_names verify_command
        version_export version_page written_procedure""",
    "who may do what": "accounts role_matrix roles",
    "the order of steps, drawn at random": "case_machine openlineage_order",
    "attacks on the procedure": "threats",
    "a store that somebody else keeps": "mlflow peer_failures",
    # Their WSGI server closes the connection of the test after each call, as a real one does.
    "what a client makes of the API, whose calls have tests of their own": """
        client_platform client_whole""",
}
_REASONS = {stem: why for why, stems in MODULES.items() for stem in stems.split()}


def one_will_do(path: Path) -> bool:
    """Whether the tests of this file run on SQLite only."""
    return path.parent.name in FOLDERS or path.stem.removeprefix("test_") in _REASONS
