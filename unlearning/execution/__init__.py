"""Where torch meets the database: only the child process of a job imports this."""
