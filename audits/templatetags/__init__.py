"""What templates of pages and letters ask."""
