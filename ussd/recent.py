"""The sessions that this process answered last, so that the next key of a caller need not ask for his."""

from __future__ import annotations

from collections import OrderedDict

from ussd.delivery import Marks, is_next_key
from ussd.request import Request
from ussd.session import Session

MOST = 4096  # sessions, of about a kilobyte each


class Recent:
    """Only for gateways that send the whole transcript: it alone shows that no other process answered in between."""

    def __init__(self, marks: Marks) -> None:
        self._marks = marks
        self._sessions: OrderedDict[tuple[str, str], Session] = OrderedDict()

    def take(self, request: Request) -> Session | None:
        """The session that this is the very next key of. It is gone from here, until it is answered and put back."""
        session = self._sessions.pop((request.gateway, request.session_key), None)
        return session if session and is_next_key(session, request, self._marks) else None

    def put(self, session: Session) -> None:
        self._sessions[session.gateway, session.key] = session
        if len(self._sessions) > MOST:
            self._sessions.popitem(last=False)
