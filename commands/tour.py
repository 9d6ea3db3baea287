"""The words of the tour through the demo, for somebody who sees it for the first time."""

from __future__ import annotations

import json

from settings import Settings

# Where to look, what it is about, what to do.
STEPS = """
phones | Dial | On the first phone press the green key, or click on it and press Enter. It dials {code}.
phones | Join a line | Answer 1, then 4071, then 1 and 1 again, each with Send. The screen says your number, and so does a text.
panel | Be the clerk | Log in as clinic1 with the first password in your terminal, choose your own, take Doctor at Room 1.
board | Call | Press Call next in the panel: the board shows the number, and the phone gets a text.
phones | Answer | Read it with the left soft key, or dial again: the phone says where to go. Then press Start and Complete.
phones | Break it | Under Faults lose a reply or send everything twice, and dial again: nobody loses a place or gets two.
"""  # noqa: E501


def tour(settings: Settings) -> str:
    """As the small telco wants it."""
    steps = [line.split(" | ") for line in STEPS.format(code=settings.shortcode).strip().splitlines()]
    return json.dumps([{"place": place, "title": title, "words": words} for place, title, words in steps])
