"""Figures keep their point: pages, pictures, files and commands must say the same number."""

DECIMAL_SEPARATOR = "."
