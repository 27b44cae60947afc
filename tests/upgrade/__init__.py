"""Databases of earlier releases, which the present one takes over."""
