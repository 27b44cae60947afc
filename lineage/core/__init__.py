"""Bitmaps, digests and graphs of lineage. Plain Python, no Django."""
