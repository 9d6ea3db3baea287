"""A refusal: what the rules say no to. Its code is stable; the words for it live with each channel."""

from __future__ import annotations

from typing import Any


class Refused(Exception):
    """The rules refused, nothing was changed.

    `code` is one of: closed, paused, full (joining); no_ticket, moved_twice (a customer's ticket); outstanding,
    no_counter, no_free_counter (calling); stale, wrong_state, too_late (a ticket that moved on); no_reason (a change
    of the order without one); same_queue (a transfer to where one is); not_open (a closed line cannot be paused);
    more_wait (than were seen by whoever sends a line home);
    no_staff, no_phone, phone_taken, wrong_code, code_over, weak_pin, blocked (a staff member's phone); no_queue,
    bad_phone; wrong_login, code_needed, wrong_code, too_many (logging in); wrong_password, weak_password, has_totp
    (one's own account); bad_login, bad_name, login_taken, no_branch, not_allowed, last_admin, yourself, repeated
    (other people's accounts).
    `facts` are what a channel needs to say why.
    """

    def __init__(self, code: str, facts: dict[str, Any] | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts or {}
