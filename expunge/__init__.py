"""Client side: capture, serving guard, command line. No Django; torch is optional."""
