"""What exact unlearning will cost, in closed form; NumPy only, so a web process may ask."""
