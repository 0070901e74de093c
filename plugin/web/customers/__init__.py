"""Customers: found, one from near, pinned, what is kept of them besides, and what they ask of us."""
