"""All screens: every one is named here, and a key or a lead that goes nowhere fails right here."""

from __future__ import annotations

from typing import Final

from ussd.screen import build_machine, registry, version_of
from ussd.screens import begin, desk, helping, joining, shut, staff, ticket

SCREENS: Final = registry(
    *(
        begin.Dialled,
        begin.Hub,
        begin.Mine,
        begin.Home,
        begin.Resume,
        begin.Rate,
        begin.Rated,
        begin.Language,
    ),
    *(joining.Code, joining.BadCode, joining.BadName, joining.Places, joining.Service, joining.Confirm),
    *(joining.Name, joining.Joined, joining.Already, joining.Full, joining.Closed, joining.Paused),
    *(ticket.Place, ticket.Near, ticket.Turn, ticket.Serving, ticket.Booked, ticket.Coming, ticket.NoTicket),
    *(ticket.Late, ticket.LateOk, ticket.LateNo, ticket.Leave, ticket.Left, ticket.Missed, ticket.BackIn),
    shut.Shut,
    *(helping.Help, helping.How, helping.Cost, helping.Alerts, helping.AlertsOn, helping.AlertsOff),
    *(helping.Data, helping.Erase, helping.Erased, helping.Call, helping.Stopped),
    *(staff.Staff, staff.Pin, staff.BadPin, staff.Lock),
    *(desk.Lines, desk.Desk, desk.Called, desk.Empty, desk.Outstanding, desk.More, desk.Sure, desk.People, desk.Said),
)
MACHINE: Final = build_machine(SCREENS)
MENU: Final = version_of(SCREENS)
