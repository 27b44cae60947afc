"""Which record went into which model version."""
