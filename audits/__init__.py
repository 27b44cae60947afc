"""Requests, attacks, verdicts, evidence, the log and the report: the top of the graph."""
