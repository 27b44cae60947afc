"""Reading cases, evidence and the log."""
