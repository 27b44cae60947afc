"""A verifier that goes along with every exported case and needs nothing of this software."""
