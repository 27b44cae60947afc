"""Pages about models and where they came from, for staff."""
