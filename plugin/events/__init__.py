"""Events as other systems tell them: the shapes they are sent in, and many of them taken at once."""
