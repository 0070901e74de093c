"""E-mail platforms: where customers are written to, and tagged."""
