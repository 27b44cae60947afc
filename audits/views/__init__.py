"""Pages: the public form, the person's status page, the staff's cases and their evidence."""
