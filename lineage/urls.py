"""Addresses of the model versions, and of the graph of where they came from."""

from __future__ import annotations

from django.urls import path

from lineage.views import explorer, graph_files, versions

app_name = "lineage"

urlpatterns = [
    path("", versions.version_list, name="version_list"),
    path("graph/", explorer.graph, name="graph"),
    path("graph/graph.json", graph_files.graph_json, name="graph_json"),
    path("graph/graph.svg", graph_files.graph_svg, name="graph_svg"),
    path("graph/prov.json", graph_files.graph_prov, name="graph_prov"),
    path("graph/nodes.csv", graph_files.nodes_csv, name="graph_nodes"),
    path("graph/edges.csv", graph_files.edges_csv, name="graph_edges"),
    path("<uuid:version_id>/", versions.version, name="version"),
]
