"""Tags out: who should carry which, what we have written where, and the writing."""
