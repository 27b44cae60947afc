"""What the answers of a record are called in a report, in English; ``say`` translates it."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# By section: its title, then the label of each member, in the order of the schema.
LABELS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "receipt": (
            "Receipt",
            *("Came in by", "Received on", "Entered on", "Days until it was entered"),
            *("Entered by", "To be answered by", "Mandate of the agent (SHA-256)"),
            "Scan of the paper",
        ),
        "identity": (
            "Identity",
            *("Confirmed by", "How often more was asked for", "Level of assurance"),
            *("Documents that were shown", "Shown and not recorded as destroyed"),
        ),
        "checks": (
            "Checks of identity",
            *("Doubt", "Asked", "Answered", "Check", "Level of assurance"),
            *("Checked", "By", "Proof destroyed"),
        ),
        "deadline": (
            "Time limit",
            *("Rule", "Counted to", "Due on"),
            *("Days off that it moved over", "Extended", "The person was told"),
        ),
        "steps": ("Where the time went", "Step", "Time taken", "Share"),
        "waits": ("When the case stood still", "Reason", "From", "Until"),
        "decisions": (
            "Who decided",
            *("Decision", "Kind", "State", "Refusal", "Proposed by", "At"),
            *("Approved by", "At", "Commitment to the text"),
        ),
        "grounds": (
            "Grounds",
            *("Decision", "Ground", "Another legal basis left"),
            "Commitment to the text",
        ),
        "exceptions": (
            "Exceptions",
            *("Exception", "Code", "Until", "Data set", "Place", "Ended"),
        ),
        "letters": (
            "Letters before the seal",
            *("Letter", "Running number", "Language", "Version of the text"),
            *("SHA-256 of its text", "State", "Sent"),
        ),
        "search": (
            "How the records were found",
            *("Rule", "Records", "Equal records of others", "Close records of others"),
            *("Spaces of records", "Records without an owner in them"),
            "What such a search does not see",
        ),
        "identifiers": ("Searched by", "Kind of identifier", "How many"),
        "places": (
            "Registered places",
            *("Registered", "Searched", "Data", "Caches", "Exports"),
            *("Labels", "Logs"),
        ),
        "backups": (
            "After a restore",
            *("Backups that still hold the person", "Entries in the journal of erasures"),
            "Erasures last replayed after a restore",
        ),
        "suppression": (
            "Import of the same person",
            *("On the list of people who must not be imported", "Days on it"),
            "When an import last met somebody of the list",
        ),
        "recipients": ("Recipients", "Told", "Acknowledged", "Not possible"),
        "deployments": ("Deployments", "Known", "Still open", "Not acknowledged"),
        "lineage": (
            "How much is known",
            *("Model versions", "Of these captured", "Share captured", "Affected"),
            *("Not affected", "Not known", "That lineage is complete"),
        ),
        "exact": (
            "Exact with respect to what",
            *("Run", "Way", "Second execution", "Not made again"),
        ),
        "attacks": (
            "Attacks that were made",
            "Evidence",
            "Attack",
            "Models in each arm",
        ),
        "not_run": ("Attacks that were not made", "Attack", "Reason"),
        "limits_first": (
            "Limits before results",
            *("Run", "Rules (SHA-256)", "Fixed by entry", "First result by entry"),
            *("Fixed before", "Looks"),
        ),
        "attempts": (
            "All runs",
            *("Runs", "Cleared", "Failed", "Made again exactly", "Audits"),
        ),
        "reproduction": (
            "What can be repeated",
            *("The records", "Can be repeated", "Commitments to scores"),
        ),
        "environments": (
            "What each run ran with",
            *("Run", "Seed", "Recipe (SHA-256)", "Environment (SHA-256)"),
        ),
        "actors": ("Who acted", "Who", "Entries in the log"),
        "witnesses": (
            "Against a dishonest run",
            "Second signer",
            "Not excluded by this record",
        ),
        "test_copies": (
            "Copies that the test made",
            *("Shadow models", "Of these destroyed", "Of these left", "Readings of the records"),
            *("First trained on", "Last destroyed on"),
        ),
        "utility": ("Accuracy for others", "Run", "Measured on", "Before", "After"),
        "subgroups": ("Accuracy by group", "Group", "Before", "After"),
        "others": (
            "Who can compare both sides",
            *("Readers of both sides", "Audits that looked at the records that stay"),
            *("Old versions gone", "Old versions left"),
        ),
        "log": (
            "The log before the seal",
            *("Entries", "Checkpoints", "Size at the last checkpoint", "Made"),
            *("Entries after it", "Entries of the case hashed again"),
            *("All of it last found whole", "Entries then"),
        ),
        "roles": ("Who could change what", "Role", "People", "Rights"),
        "retention": (
            "Personal data in this record",
            *("Days kept", "Key of the case destroyed on, at the latest"),
            *("Commitments", "What may point to a person until then"),
        ),
        "policy": (
            "Rules that held",
            *("Rules (SHA-256)", "Law", "Second person"),
            *("Median days of cases", "Cases since"),
        ),
        "period": ("Cases that ended in the year before", "Outcome", "Cases"),
        "responsible": (
            "Who is responsible",
            *("Controller", "Contact", "Authority", "Software"),
            *("Its source (SHA-256)", "All packages (SHA-256)"),
            *("Format of the record", "Format of evidence", "Format of the answers"),
        ),
    }
)
# Where each section stands in the report.
CHAPTERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "request": ("receipt", "identity", "checks", "deadline", "steps", "waits"),
        "decisions": ("decisions", "grounds", "exceptions"),
        "search": ("search", "identifiers", "places"),
        "data": ("backups", "suppression"),
        "provenance": ("lineage",),
        "models": ("exact", "attempts", "environments"),
        "evidence": ("limits_first", "attacks", "not_run", "utility", "subgroups"),
        "footprint": ("test_copies", "reproduction"),
        "recipients": ("recipients", "deployments", "others"),
        "communication": ("letters",),
        "limits": ("witnesses", "retention"),
        "verify": ("log", "roles"),
        "annex": ("responsible", "policy", "period", "actors"),
    }
)
