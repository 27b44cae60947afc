"""Models that are a function of integer sums over records, and so forget by subtraction."""
