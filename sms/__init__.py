"""Text messages, both directions: commands in, notifications out."""
