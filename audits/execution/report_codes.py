"""Codes and names of fields that a report shows as words, in English as ``said`` writes them.

Others are shown in English in every language.
"""

from __future__ import annotations

CODES = (
    *("Form", "Email", "Letter", "Phone", "Staff", "Operator", "Late"),  # channels
    *("Erased", "Removed", "No data found", "Refused", "Withdrawn", "Not identified"),
    *("Restriction lifted", "Joined"),
    *("Erased by construction", "Bounded in training", "Bounded removal", "Pass strict"),
    *("Pass leak", "Fail", "Destroyed", "No signal", "Inconclusive", "Invalid"),
    *("Request accepted", "Request refused", "Request withdrawn", "Decision proposed"),
    *("Decision approved", "Decision returned", "Ground found", "Exception recorded"),
    *("Exception ended", "Excepted place erased", "Action refused", "Duplicate proposed"),
    *("Duplicate decided", "Case opened", "Forget set proposed", "Forget set returned"),
    *("Forget set approved", "Case dropped"),
    *("Exact", "Near", "Keep", "Include"),  # duplicates
    *("Direct", "Indirect", "None", "Training", "Validation", "Base model", "Teacher"),
    *("Source model", "Generator", "Preprocessing", "Selection"),
    *("Weights", "Plot", "Record", "Report", "Scores"),  # artefacts
    *("Held", "Released", "Passed over", "Due", "Sent", "Failed", "Acknowledged"),
    *("Not possible", "Recipient", "Publication", "Processor", "Joint controller"),
    *("Edited", "Trained", "Parameters", "Read", "Claim", "Stop reason", "Seed", "People"),
    *("Manifest matches", "Overlapping", "Inexact", "Code digest", "Environment digest"),
    *("Smoke", "Ancestors", "Records", "Advantage", "Auc", "Accuracy", "Before", "After"),
    *("Confirm", "Receipt", "Answer", "Refusal", "Extension"),  # letters
    # Other methods have the names that their papers gave them.
    *("Retrain from scratch", "Checkpoint and replay", "Subtraction from integer sums"),
)
