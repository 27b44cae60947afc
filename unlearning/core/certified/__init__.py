"""Removal from convex models, certified by a bound on what it leaves behind."""
