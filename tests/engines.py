"""Which tests of the database run on one engine only, and why one will do.

All that reads or writes rows runs on SQLite and again on PostgreSQL, but for the modules below.
Their subject is not the database, and what they call of it is held on both engines by the tests of
the services and queries themselves. The second pass does not even collect them: to import every
test takes each process some twenty seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

FOLDERS = {"views": "what a page says"}
NO_DATABASE = {
    "battery": "experiments on made-up scores",
    **dict.fromkeys(("attacks", "core_evidence", "core_trail"), "the library of audits"),
    **dict.fromkeys(
        ("core", "core_certified", "core_statistics", "replay", "sharding"),
        "the library of unlearning",
    ),
}
MODULES = {
    "figures of an audit, from models that it trains": """
        attempts certificate_difficulty certificates certified committed_scores construction
        evidence_of_cases execution_bad_input fleet gating instance_models judging look_attacks
        not_finite planted private private_trainings shadow_engine shared_audits weighing
        whole_people 12_to_18""",
    "models that are trained, kept and replayed, by jobs that unlearning/execution holds": """
        histories rebuilding restricted_recipes retraining sharded_training shards
        unfinished_trainings""",
    "what a tuning finds, and what is done with it": "tuning tuning_restricted tuning_use",
    "what a text, a picture or a file says": """
        admin anonymity answer_words case_register demo_data docs_browser editions
        explorer_browser explorer_files explorer_pages export_case letter_texts
        openlineage_schemas pdf_seal person_checks person_edition pictures processing
        prov public_edition questions regulator_sections report_job report_places
        report_text reporting tamper_matrix told_names verify_command version_export
        version_page written_procedure""",
    "jobs that lose their lease, by a fence that test_fence holds": "lost_leases",
    "what leaves the log for a stranger, whose rows test_log_tree and test_log_writers hold": """
        log_proofs time_stamps witness""",
    "who may do what": "accounts own_cases rights role_matrix roles scopes_of_objects",
    "what a command says, whose services have tests of their own": "operator_command",
    "spans of what services do that have tests of their own": "tracing",
    "the order of steps, drawn at random": "case_machine openlineage_order transitions",
    "attacks on the procedure": "threats",
    "a store that somebody else keeps": "mlflow mlflow_names peer_failures peers",
    # Their WSGI server closes the connection of the test after each call, as a real one does.
    "what a client makes of the API, whose calls have tests of their own": """
        capture_away capture_keys capture_purged capture_restricted client_platform client_whole
        rolling rolling_trouble trained_outside""",
}
_REASONS = {stem: why for why, stems in MODULES.items() for stem in stems.split()}


def one_will_do(path: Path) -> bool:
    """Whether the tests of this file run on SQLite only."""
    return path.parent.name in FOLDERS or path.stem.removeprefix("test_") in _REASONS


def nothing_to_repeat(path: Path, markers: str) -> bool:
    """Whether a pass that asks for these markers has nothing to do in this folder or file."""
    if "not one_engine" not in markers:
        return False
    return path.name in NO_DATABASE if path.is_dir() else one_will_do(path)
