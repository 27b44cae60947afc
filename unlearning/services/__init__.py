"""What changes runs. Each function owns its transaction and takes the time as an argument."""
