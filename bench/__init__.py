"""Repeatable measurements, each printed as a ratio against its limit."""
