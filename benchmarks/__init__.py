"""One command per claim of the README; each prints one JSON object."""
