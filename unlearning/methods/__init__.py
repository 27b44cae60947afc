"""One unlearning method per file; the file name is the name of the method."""
