"""Stores: where orders, customers and carts come from, and where customers are tagged."""
