"""The parts of the plain evaluator: what is known, days, what is seen at a moment, conditions, the reader."""
