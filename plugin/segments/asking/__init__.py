"""A query asked of a shop, in SQL: its conditions, the figures and rows that they compare, at any moment."""
