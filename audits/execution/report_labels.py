"""The words of the templates of reports: headings, heads of tables, and the sentences between.

``templates/reports/*.typ`` hold no words of their own; they take them from ``view.words``.
"""

from __future__ import annotations

from audits.execution.report_speech import say

# By the place in a template where they stand. A list is the head of a table.
WORDS: dict[str, str | tuple[str, ...]] = {
    "sealed_by": "Sealed",
    "case": "Case",
    "log": "log",
    "log_size": "size",
    "field_value": ("Field", "Value"),
    "result": "Result",
    "received_on": "Received on",
    "sealed_on": "sealed on",
    "areas": ("Area", "Result", "What this rests on"),
    "versions": ("Model version", "What was done", "Result"),
    "further_versions": "Further versions are in the section on models:",
    "biggest": "The three biggest limits",
    "biggest_more": "All of them are in the section on limits.",
    "minute": "How to verify in one minute",
    "minute_files": "Take the three files record.json, report.pdf and report.manifest.json, and "
    "the public key of the log from a source that is not this report.",
    "minute_run": "Run this; it needs no database and no network:",
    "minute_compare": "Compare the checkpoint that it prints with the one in a letter or in "
    "another report.",
    "clock": ("Step", "Time", "Since the step before"),
    "decisions_title": "Decisions",
    "decisions": ("Time", "Decision", "Content", "By"),
    "no_decisions": "No member of staff had to decide anything in this case.",
    "search_title": "Search",
    "duplicates": ("Duplicate", "Distance", "Decision of staff"),
    "spaces": ("Space of records", "Deleted", "Found when reading back"),
    "nothing_deleted": "Nothing was deleted in this case.",
    "places_title": "Registered places",
    "places": ("Place", "What became of it", "Found", "Left", "Read back"),
    "backups_title": "Backups that still hold the person",
    "backups": ("Backup", "Holds", "Made on", "To be destroyed on"),
    "artefacts_title": "Files destroyed and read back as gone",
    "artefacts": ("Kind", "SHA-256 of what was destroyed"),
    "provenance_title": "Provenance",
    "paths_intro": "One shortest path from the data to each affected version.",
    "paths": ("Model version", "Records", "Influence", "Path"),
    "no_paths": "No model version is known to have learned from records of this case.",
    "unknown_intro": "Possibly affected, since not all that these versions learned from is known:",
    "models_title": "Models",
    "no_models": "No model was changed.",
    "verdict": "Verdict.",
    "ends_title": "What became of each model version",
    "ends": ("Version", "End", "Verdict or exception", "Became"),
    "no_ends": "No version was affected, or this record is older than this table.",
    "evidence_title": "Evidence",
    "evidence_intro": "An advantage is the true positive rate of an attack less its false "
    "positive rate: 0 is a coin toss, 1 is always right. Bounds are one-sided. The unit is the "
    "model.",
    "no_evidence": "No model was audited in this case.",
    "contrasts": (
        *("Comparison", "Level", "Advantage", "At least", "At most", "Margin", "Models judged"),
    ),
    "footprint_title": "The footprint of the evidence itself",
    "footprint_intro": "Shadow models learn from the records that they test, so they are personal "
    "data too: they are counted here, with what was found of them when reading back.",
    "told_title": "Recipients and publications",
    "communication_title": "Communication",
    "letters": ("Sent", "Letter", "SHA-256 of its text"),
    "no_letters": "No letter was logged before the seal.",
    "limits_title": "Limits",
    "verify_title": "How to verify without us",
    "verify_record": "Everything that this report says is in record.json. Its SHA-256 is",
    "verify_envelope": "The signed envelope inside it, which an entry of the log names, has the "
    "SHA-256",
    "verify_entry": "Entry of the log:",
    "verify_keys": "The public keys, of the log and of its statements. Take them from another "
    "source, and compare:",
    "verify_checkpoint": "The checkpoint: the log as it was signed when this record was sealed. "
    "Whoever holds another checkpoint of this log can ask for a proof that one extends the other.",
    "verify_with": "With this software, but without its database and without a network:",
    "verify_without": "Without this software, the digests and the signature of the record:",
    "verify_program": "Here check.py needs only Python and the package cryptography:",
    "verify_prints": "It prints the outcome, or ends with InvalidSignature. The checkpoint is a "
    "C2SP signed note and the proof in record.json a C2SP tlog-proof, so other tools for "
    "transparency logs read them too.",
    "verify_means": "What a pass means: these statements were signed with this key, and the "
    "events were in this log at the checkpoint. What it does not mean is in the section on "
    "limits.",
    "annex_title": "Annex",
    "events_title": "The events of the case",
    "events": ("Entry", "Time", "Event"),
    "by": "by",
    "software_title": "Software",
    "software": ("Package", "Version"),
    "glossary_title": "The five words of a result",
    "glossary": ("Word", "What it means here"),
    "attached_title": "Attached files",
    "attached": ("File", "What it is"),
    "files": (  # in the order of templates/reports/record.typ
        "The sealed record",
        "The signed statement of the record: what was done and measured",
        "The proof that the log holds the seal of this case",
        "The signed checkpoint of the log",
        "A time stamp on the checkpoint by another authority (RFC 3161)",
        "The events of this case, each with its path in the log",
        "The kept numbers, one per line; rules and accuracies are in the record",
        "Which model versions had learned from the records, and what became of them",
        "The keys that signed; take them from another source, and compare",
        "The program that checks the exported case; read it before you run it",
    ),
}
FIVE_WORDS = {
    "done": "What was to be done was done, and read back where it can be.",
    "done with residual": "It was done, and something stated here is left, or was measured only "
    "within a margin.",
    "inconclusive": "It was done or tried, and what was measured does not decide.",
    "refused": "It was refused, for the coded reason given here.",
    "not possible": "It could not be done, or nothing was left to do it on.",
}


def labels() -> dict[str, str | list[str]]:
    """Return the words of the templates in the language that is spoken."""
    return {
        name: say(said) if isinstance(said, str) else list(map(say, said))
        for name, said in WORDS.items()
    }


def five_words() -> list[list[str]]:
    """Return the words that a result may have, and what each means."""
    return [[say(word), say(meaning)] for word, meaning in FIVE_WORDS.items()]
