"""Why one customer is in a segment or not, and when that changes if nothing happens."""
