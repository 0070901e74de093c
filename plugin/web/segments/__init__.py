"""Segments as they are kept: the list, and one of them from every side."""
