"""Twelve situations of a data-protection officer, lived through on the real pages.

``manage.py journey`` starts an installation of its own, with a mail server that it can make fail.
"""
