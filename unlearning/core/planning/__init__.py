"""Which way of unlearning a version is taken, and why no other; no Django, no torch, no clock."""
