"""A made-up order export and what is true of it."""
