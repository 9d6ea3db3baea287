"""Ways out for texts: one file a provider, with everything about that provider in it."""
