"""Parts of checks that are tests of the platform, where its other tests are."""

ELSEWHERE = {
    "12": ("tests/audits/test_workflow_duplicates.py::"
           "test_a_case_waits_for_a_decision_about_a_duplicate",),
    "14": (
        "tests/audits/core_evidence/test_golden.py::"
        "test_bounds_on_a_proportion_are_those_of_memaudit",
        "tests/audits/core_evidence/test_golden.py::"
        "test_the_lower_bound_on_epsilon_is_that_of_jax_privacy",
        "tests/audits/core_evidence/test_golden.py::"
        "test_lira_with_spreads_per_record_is_the_published_one",
        "tests/audits/core_evidence/test_golden.py::"
        "test_lira_with_one_spread_is_that_of_tensorflow_privacy_which_takes_residuals",
        "tests/audits/core_evidence/test_golden.py::"
        "test_the_margin_is_the_logit_scaled_confidence",
    ),
    "16": ("tests/audits/test_evidence_service.py::test_a_conclusion_is_drawn_once",),
    "17": (
        "tests/audits/test_footprint.py::"
        "test_a_closed_case_leaves_tombstones_its_verdict_and_a_seal_that_breaks",
        "tests/audits/test_closing.py::"
        "test_a_crash_before_and_after_every_step_is_made_good_by_the_next_try",
        "tests/audits/test_judging.py::test_the_verdict_recomputes_from_what_is_kept",
        "tests/audits/test_verify_command.py::test_a_flipped_byte_anywhere_is_refused",
    ),
}  # fmt: skip
