"""Segments as people keep them: edited, versioned, reviewed, tested, frozen, made from templates."""
