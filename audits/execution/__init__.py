"""The work of a case that is done in child processes: planning, attacks, erasing, the report."""
