"""Processes around the site: private servers, supervised children, ports, command lines.

Standard library and two optional wheels only: a test runner uses it before Django starts.
"""
