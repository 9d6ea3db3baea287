"""The `zamu` command: what an operator, or a person without a panel, types."""
