"""Photographs of every page of a real site, and the journeys of four people on every screen."""
