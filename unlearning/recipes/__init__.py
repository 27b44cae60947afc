"""How a model can be trained again: one family of recipes per file."""
