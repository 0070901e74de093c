"""What the pages tell: sizes, changes and states, worked out from what the other parts have written."""
