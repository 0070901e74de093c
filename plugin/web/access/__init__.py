"""Who comes in, and as whom: accounts, the people of a shop, keys of programs."""
