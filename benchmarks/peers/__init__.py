"""Other systems that are asked the same, each by a small driver that reads one generated graph."""
