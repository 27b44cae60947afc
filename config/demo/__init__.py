"""The demonstration: one erasure from request to sealed report, on real digits."""
