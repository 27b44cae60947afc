"""Statistics of evidence and the cryptography of the log. Never Django."""
