"""What attackers try, one class of attack a file. ``docs/threat-model.md`` names every test."""
