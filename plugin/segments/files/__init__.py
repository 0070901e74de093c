"""A shop's segments as one YAML file, out and in."""
