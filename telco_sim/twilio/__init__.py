"""Twilio's dialect of texts: the same phones and the same inboxes, another gateway's words."""
