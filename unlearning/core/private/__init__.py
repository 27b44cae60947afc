"""Training with differential privacy for each person (DP-SGD), and what it costs."""
