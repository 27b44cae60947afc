"""One attack per file. A higher score means more likely a member, everywhere."""
