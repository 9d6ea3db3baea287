"""Phones on every gateway: what each sends when somebody dials, presses a key or hangs up, and what it shows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import urlencode


@dataclass(frozen=True, slots=True)
class Sent:
    """A request. `path` follows the secret; `data` is the query of a GET and the body of the others."""

    data: bytes
    method: str = "POST"
    path: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the phone shows, and whether the session is over."""

    text: str
    over: bool


class Phone:
    """One caller. `session` is new at every call; `pressed` are its keys so far."""

    code: ClassVar[str]
    number: ClassVar[str]
    passes_path: ClassVar[bool] = True
    names_requests: ClassVar[bool] = True
    screen: ClassVar[int] = 160

    def __init__(self) -> None:
        self.calls = 0
        self.pressed: list[str] = []
        self.path = ""

    @property
    def session(self) -> str:
        return f"{self.code}-{self.calls}"

    def dial(self, path: str = "") -> Sent:
        """`path` is what is dialled after the service code: `4071*1`."""
        self.calls += 1
        self.path, self.pressed = path, []
        return self.first()

    def press(self, key: str) -> Sent:
        self.pressed.append(key)
        return self.again(key)

    def first(self) -> Sent:
        raise NotImplementedError

    def again(self, key: str) -> Sent:
        raise NotImplementedError

    def gone(self) -> Sent | None:
        """The word that the caller hung up; None where there is none."""
        return None

    def read(self, body: str, headers: Mapping[str, str]) -> Seen:
        raise NotImplementedError


class JsonPhone(Phone):
    def post(self, path: str = "", method: str = "POST", **fields: object) -> Sent:
        return Sent(json.dumps(fields).encode(), method, path)

    def read(self, body: str, headers: Mapping[str, str]) -> Seen:
        assert headers["content-type"] == "application/json"
        return self.shown(json.loads(body))

    def shown(self, answer: dict[str, Any]) -> Seen:
        raise NotImplementedError


class Hubtel(JsonPhone):
    code, number = "hubtel", "+233201234567"

    def step(self, kind: str, message: str) -> Sent:
        return self.post(
            Type=kind,
            Mobile="233201234567",
            SessionId=self.session,
            ServiceCode="713",
            Message=message,
            Operator="vodafone",
            Sequence=len(self.pressed) + 1,
            ClientState="",
            Platform="USSD",
        )

    def first(self) -> Sent:
        return self.step("Initiation", f"*713*{self.path}#" if self.path else "*713#")

    def again(self, key: str) -> Sent:
        return self.step("Response", key)

    def gone(self) -> Sent:
        return self.step("Timeout", "")

    def shown(self, answer: dict[str, Any]) -> Seen:
        assert answer["Type"] in {"Response", "Release"}
        return Seen(answer["Message"], answer["Type"] == "Release")


class Nalo(JsonPhone):
    code, number, names_requests, screen = "nalo", "+233241234567", False, 120

    def step(self, typed: str, *, first: bool) -> Sent:
        return self.post(
            USERID="NALOTest",
            MSISDN="233241234567",
            USERDATA=typed,
            MSGTYPE=first,
            NETWORK="MTN",
            SESSIONID=self.session,
        )

    def first(self) -> Sent:
        return self.step(f"*920*12*{self.path}#" if self.path else "*920*12#", first=True)

    def again(self, key: str) -> Sent:
        return self.step(key, first=False)

    def shown(self, answer: dict[str, Any]) -> Seen:
        assert (answer["USERID"], answer["MSISDN"]) == ("NALOTest", "233241234567")
        return Seen(answer["MSG"], not answer["MSGTYPE"])


class Arkesel(JsonPhone):
    code, number, names_requests = "arkesel", "+233271231234", False

    def step(self, typed: str, *, first: bool) -> Sent:
        return self.post(
            sessionID=self.session,
            userID="USSD_DOCUMENTATION",
            newSession=first,
            msisdn="233271231234",
            userData=typed,
            network="AIRTELTIGO",
        )

    def first(self) -> Sent:
        return self.step(f"*928*1*{self.path}#" if self.path else "*928*1#", first=True)

    def again(self, key: str) -> Sent:
        return self.step(key, first=False)

    def shown(self, answer: dict[str, Any]) -> Seen:
        echo = {"sessionID": self.session, "userID": "USSD_DOCUMENTATION", "msisdn": "233271231234"}
        assert answer.items() >= echo.items()
        return Seen(answer["message"], not answer["continueSession"])


class Beem(JsonPhone):
    code, number, passes_path = "beem", "+255762089337", False

    def step(self, command: str, response: object) -> Sent:
        return self.post(
            command=command,
            msisdn="255762089337",
            session_id=self.session,
            operator="vodacom",
            payload={"request_id": len(self.pressed), "response": response},
        )

    def first(self) -> Sent:
        return self.step("initiate", 0)

    def again(self, key: str) -> Sent:
        return self.step("continue", key)

    def gone(self) -> Sent:
        return self.step("terminate", "")

    def shown(self, answer: dict[str, Any]) -> Seen:
        echo = {"msisdn": "255762089337", "operator": "vodacom", "session_id": self.session}
        assert answer.items() >= echo.items()
        assert answer["payload"]["request_id"] == len(self.pressed) + 1
        return Seen(answer["payload"]["request"], answer["command"] == "terminate")


class Infobip(JsonPhone):
    code, number, names_requests = "infobip", "+385950000000", False

    def step(self, step: str, text: str) -> Sent:
        dialled = f"*384*40*{self.path}#" if self.path else "*384*40#"
        path = f"/session/{self.session}/{step}"
        return self.post(path, msisdn="385950000000", shortCode=dialled, text=text, language=None)

    def first(self) -> Sent:
        return self.step("start", "")

    def again(self, key: str) -> Sent:
        return self.step("response", key)

    def gone(self) -> Sent:
        return self.post(f"/session/{self.session}/end", "PUT", reason="hung up", exitCode=510)

    def shown(self, answer: dict[str, Any]) -> Seen:
        assert answer["responseExitCode"] == 200
        return Seen(answer.get("ussdMenu", ""), answer.get("shouldClose", True))


class Mtn(JsonPhone):
    code, number, names_requests = "mtn", "+2250102030405", False

    def step(self, kind: str, typed: str) -> Sent:
        return self.post(
            sessionId=self.session,
            messageType=kind,
            msisdn="2250102030405",
            serviceCode="*1234*356#",
            ussdString=typed,
            cellId="1",
        )

    def first(self) -> Sent:
        return self.step("0", f"*1234*356*{self.path}#" if self.path else "*1234*356#")

    def again(self, key: str) -> Sent:
        return self.step("1", key)

    def gone(self) -> Sent:
        return self.step("5", "")

    def shown(self, answer: dict[str, Any]) -> Seen:
        data = answer["data"]
        assert (answer["statusCode"], answer["transactionId"]) == ("0000", self.session)
        assert data["inboundResponse"] == data["outboundResponse"]
        assert data["userInputRequired"] is (data["messageType"] == 1)
        assert (data["serviceCode"], data["msisdn"]) == ("*1234*356#", "2250102030405")
        return Seen(data["inboundResponse"], data["messageType"] == 2)


class TextPhone(Phone):
    """CON or END, and all that was typed since the service code."""

    screen = 156

    def typed(self) -> str:
        return "*".join([*filter(None, [self.path]), *self.pressed])

    def again(self, key: str) -> Sent:
        return self.first()

    def read(self, body: str, headers: Mapping[str, str]) -> Seen:
        assert headers["content-type"].startswith("text/plain")
        assert body[:4] in {"CON ", "END "}
        return Seen(body[4:], body.startswith("END"))


class AfricasTalking(TextPhone):
    code, number = "africastalking", "+254711000001"

    def first(self) -> Sent:
        fields = {"sessionId": self.session, "phoneNumber": self.number, "networkCode": "63902"}
        return Sent(urlencode({**fields, "serviceCode": "*384*40#", "text": self.typed()}).encode())


class Safaricom(TextPhone):
    code, number = "safaricom", "+254711000002"

    def first(self) -> Sent:
        fields = {"ORIG": "254711000002", "DEST": "167", "SESSION_ID": self.session, "USSD_PARAMS": self.typed()}
        return Sent(urlencode(fields, safe="*").encode(), "GET")


class Airtel(Phone):
    code, number, names_requests = "airtel", "+254733000001", False

    def query(self, **fields: str) -> Sent:
        return Sent(urlencode({"SessionID": self.session, **fields, "userid": "u", "password": "p"}).encode(), "GET")

    def first(self) -> Sent:
        return self.again(f"384*40*{self.path}" if self.path else "384*40")

    def again(self, key: str) -> Sent:
        return self.query(MSISDN="254733000001", MSC="msc", input=key)

    def gone(self) -> Sent:
        return self.query(msisdn="254733000001", clean="clean-session", error="522")

    def read(self, body: str, headers: Mapping[str, str]) -> Seen:
        assert headers["content-type"] == "text/plain; charset=utf-8"
        assert (headers["charge"], headers["amount"]) == ("N", "0")
        assert headers["freeflow"] in {"FC", "FB"}
        return Seen(body, headers["freeflow"] == "FB")


DIALECTS: list[type[Phone]] = [AfricasTalking, Airtel, Arkesel, Beem, Hubtel, Infobip, Mtn, Nalo, Safaricom]
