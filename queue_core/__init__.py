"""The rules of the queue, the same for every channel."""
