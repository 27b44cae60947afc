"""What the documentation site is made with; `make site` builds it."""
