"""What serving processes ask over HTTP: thin functions, each one call to a service or query."""
