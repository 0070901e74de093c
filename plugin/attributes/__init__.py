"""Typed attributes that a merchant keeps of customers: their definitions, their values, and how both come in."""
