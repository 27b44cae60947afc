"""What can be asked of a platform, by subject; ``expunge.Client`` is all of it."""
