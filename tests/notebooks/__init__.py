"""The notebooks: run as a kernel would, and shown as pages of the cookbook."""
