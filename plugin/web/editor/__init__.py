"""Segments as they are written: text and builder, what is said of a query, templates, ladders, files."""
