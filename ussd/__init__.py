"""One USSD session: from a key pressed to the page it answers."""
