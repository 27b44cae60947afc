"""Which shard is rebuilt next, and how long a request can wait; time is in days, as a float."""
