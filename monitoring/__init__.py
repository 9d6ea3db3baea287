"""How an operator sees: what processes count, what stores are asked on a scrape, and what is said of it in words."""
