"""What the answers of a record are called in a report. ``_`` marks what is to be translated."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from django.utils.translation import gettext_noop as _

if TYPE_CHECKING:
    from collections.abc import Mapping

# By section: its title, then the label of each member, in the order of the schema.
LABELS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "receipt": (
            _("Receipt"),
            *(_("Stored by"), _("Received on"), _("Entered on"), _("Days until it was entered")),
            *(_("Entered by"), _("To be answered by"), _("Mandate of the agent (SHA-256)")),
            _("Scan of the paper"),
        ),
        "identity": (
            _("Identity"),
            *(_("Confirmed by"), _("How often more was asked for"), _("Level")),
            *(_("Documents that were shown"), _("Of these not recorded as destroyed")),
        ),
        "checks": (
            _("Checks of identity"),
            *(_("Doubt"), _("Asked"), _("Answered"), _("Check"), _("Level"), _("Checked")),
            *(_("By"), _("Proof destroyed")),
        ),
        "deadline": (
            _("Time limit"),
            *(_("Rule"), _("Counted to"), _("Due on")),
            *(_("Days off that it moved over"), _("Extended"), _("The person was told")),
        ),
        "steps": (_("Where the time went"), _("Step"), _("Time"), _("Share")),
        "waits": (_("When the case stood still"), _("Reason"), _("From"), _("Until")),
        "decisions": (
            _("Who decided"),
            *(_("Decision"), _("Kind"), _("State"), _("Refusal"), _("Proposed by"), _("At")),
            *(_("Approved by"), _("At"), _("Commitment to the text")),
        ),
        "grounds": (
            _("Grounds"),
            *(_("Decision"), _("Ground"), _("Another legal basis left")),
            _("Commitment to the text"),
        ),
        "exceptions": (
            _("Exceptions"),
            *(_("Exception"), _("Code"), _("Until"), _("Data set"), _("Place"), _("Ended")),
        ),
        "letters": (
            _("Letters before the seal"),
            *(_("Letter"), _("Number"), _("Language"), _("Version of the text")),
            *(_("SHA-256 of its text"), _("State"), _("Sent")),
        ),
        "search": (
            _("How the records were found"),
            *(_("Rule"), _("Records"), _("Equal records of others"), _("Close records of others")),
            *(_("Spaces of records"), _("Records without an owner in them")),
            _("What such a search does not see"),
        ),
        "identifiers": (_("Searched by"), _("Kind of identifier"), _("How many")),
        "places": (
            _("Registered places"),
            *(_("Registered"), _("Searched"), _("Data"), _("Caches"), _("Exports")),
            *(_("Labels"), _("Logs")),
        ),
        "backups": (
            _("After a restore"),
            *(_("Backups that still hold the person"), _("Entries in the journal of erasures")),
            _("Erasures last replayed after a restore"),
        ),
        "suppression": (
            _("Import of the same person"),
            *(_("On the list of people who must not be imported"), _("Days on it")),
            _("When an import last met somebody of the list"),
        ),
        "recipients": (_("Recipients"), _("Told"), _("Acknowledged"), _("Not possible")),
        "deployments": (_("Deployments"), _("Known"), _("Still open"), _("Not acknowledged")),
        "lineage": (
            _("How much is known"),
            *(_("Model versions"), _("Of these captured"), _("Share captured"), _("Affected")),
            *(_("Not affected"), _("Not known"), _("That lineage is complete")),
        ),
        "exact": (
            _("Exact with respect to what"),
            *(_("Run"), _("Way"), _("Second execution"), _("Not made again")),
        ),
        "attacks": (
            _("Attacks that were made"),
            _("Evidence"),
            _("Attack"),
            _("Models in each arm"),
        ),
        "not_run": (_("Attacks that were not made"), _("Attack"), _("Reason")),
        "limits_first": (
            _("Limits before results"),
            *(_("Run"), _("Rules (SHA-256)"), _("Fixed by entry"), _("First result by entry")),
            *(_("Fixed before"), _("Looks")),
        ),
        "attempts": (
            _("All runs"),
            *(_("Runs"), _("Cleared"), _("Failed"), _("Made again exactly"), _("Audits")),
        ),
        "reproduction": (
            _("What can be repeated"),
            *(_("The records"), _("Can be repeated"), _("Commitments to scores")),
        ),
        "environments": (
            _("What each run ran with"),
            *(_("Run"), _("Seed"), _("Recipe (SHA-256)"), _("Environment (SHA-256)")),
        ),
        "actors": (_("Who acted"), _("Who"), _("Entries in the log")),
        "witnesses": (
            _("Against a dishonest run"),
            _("Second signer"),
            _("Not excluded by this record"),
        ),
        "test_copies": (
            _("Copies that the test made"),
            *(_("Shadow models"), _("Destroyed"), _("Left"), _("Readings of the records")),
            *(_("First"), _("Destroyed")),
        ),
        "utility": (_("Accuracy for others"), _("Run"), _("Measured on"), _("Before"), _("After")),
        "subgroups": (_("Accuracy by group"), _("Group"), _("Before"), _("After")),
        "others": (
            _("Who can compare both sides"),
            *(_("Readers of both sides"), _("Audits that looked at the records that stay")),
            *(_("Old versions gone"), _("Old versions left")),
        ),
        "log": (
            _("The log before the seal"),
            *(_("Entries"), _("Checkpoints"), _("Size at the last checkpoint"), _("Made")),
            *(_("Entries after it"), _("Entries of the case hashed again")),
            *(_("All of it last found whole"), _("Entries then")),
        ),
        "roles": (_("Who could change what"), _("Role"), _("People"), _("Rights")),
        "retention": (
            _("Personal data in this record"),
            *(_("Days kept"), _("Key of the case destroyed on, at the latest")),
            *(_("Commitments"), _("What may point to a person until then")),
        ),
        "policy": (
            _("Rules that held"),
            *(_("Rules (SHA-256)"), _("Law"), _("Second person")),
            *(_("Median days of cases"), _("Cases since")),
        ),
        "period": (_("Cases that ended in the year before"), _("Outcome"), _("Cases")),
        "responsible": (
            _("Who is responsible"),
            *(_("Controller"), _("Contact"), _("Authority"), _("Software")),
            *(_("Its source (SHA-256)"), _("All packages (SHA-256)")),
            *(_("Format of the record"), _("Format of evidence"), _("Format of the answers")),
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
# Codes that are not clear when they are merely spelled out.
CODES: Mapping[str, str] = MappingProxyType(
    {
        "NOT_KEPT": _("not kept"),
        "NOT_ON_PAPER": _("the request was not on paper"),
        "NOT_CLAIMED": _("not claimed"),
        "NONE": _("none"),
        "DISHONEST_RUN": _("that what was logged is not what was run"),
        "KEYED_DIGEST_EQUAL": _("keyed digests of the identifiers are equal"),
        "CHOSEN_BY_OPERATOR": _("the operator chose them"),
        "MENTIONS_BY_OTHERS": _("mentions in records of others"),
        "IDENTIFIERS_NOT_STATED": _("records under identifiers that nobody stated"),
        "COPIES_NOT_REGISTERED": _("copies that are in no register"),
        "RECORDS_WITHOUT_OWNER": _("records that name no owner"),
        "PARTS_NOT_SEARCHED": _("parts that were not searched"),
        "PSEUDONYMS_OF_STAFF": _("random names of staff"),
        "COMMITMENT_TO_THE_ADDRESS": _("the commitment to the address"),
        "CASE_REFERENCE": _("the reference of the case"),
        "OPENED_BY_OPERATOR": _("the operator opened the case"),
        "NO_STATUTORY_DEADLINE": _("no law sets a limit"),
        "NOT_DERIVED": _("its derivation was not stored"),
        "NO_CHECK_BY_STAFF": _("staff checked nothing beside the confirmation"),
        "NEVER_STOOD_STILL": _("it never stood still"),
        "NO_DECISION_BY_STAFF": _("no decision of staff was recorded"),
        "NO_GROUND_ASSESSED": _("no ground was assessed"),
        "NOTHING_EXCEPTED": _("nothing is kept under an exception"),
        "NO_LETTER_YET": _("no letter was written before the seal"),
        "GONE_BEFORE_THE_SEAL": _("they were deleted before the seal"),
        "NO_PLACE_REGISTERED": _("no place is registered"),
        "NOBODY_IN_THE_REGISTERS": _("nobody in the registers had it"),
        "NONE_REGISTERED": _("none is registered"),
        "NO_EXACT_RUN": _("no run was exact"),
        "NO_MODEL_AUDITED": _("no model was audited"),
        "NO_RUN": _("no model was changed"),
        "NO_SHADOW_MODEL": _("no shadow model was trained"),
        "NOT_MEASURED": _("not measured"),
        "NO_CASE_ENDED_BEFORE": _("no case ended in that time"),
        "UNDER_10": _("fewer than 10"),
        "FROM_10": _("10 to 49"),
        "FROM_50": _("50 to 199"),
        "FROM_200": _("200 to 999"),
        "FROM_1000": _("1000 or more"),
    }
)
