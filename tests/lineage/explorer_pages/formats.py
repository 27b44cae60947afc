"""The files in which the graph can be had."""

from __future__ import annotations

FILES = ("graph.json", "graph.svg", "prov.json", "nodes.csv", "edges.csv")
