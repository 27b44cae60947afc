"""What child processes do for lineage."""
