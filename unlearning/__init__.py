"""Removing the influence of records from a model; knows nothing of the law."""
