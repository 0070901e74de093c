"""Who is in which segment, kept up to date at the cost of what changed: time, references, pins and ladders included."""
