"""What every page stands on: its frame, language and parts, roles, words of states, and how often one may ask."""
