"""The staff panel and the board, in a browser."""
