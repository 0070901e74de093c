"""Who belongs to which segment: the language, its compiler, and the membership that follows every change."""
