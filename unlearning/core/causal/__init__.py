"""Which training records made a model learn what a few bad records say: a proposed forget set."""
