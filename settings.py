"""Settings, read once from the environment; nothing else reads it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import chain
from pathlib import Path

import kept_secrets
from addresses import bad_base, bad_networks, bad_redis, bad_url
from queue_core.text import is_gsm, units

# Name, default, and what `zamu serve --help` says of it.
TABLE = (
    ("ZAMU_DATA_DIR", ".zamu", "Folder of the embedded servers and of what is generated at first start."),
    ("ZAMU_DATABASE_URL", None, "PostgreSQL, tested on 18. Unset: an embedded one runs in ZAMU_DATA_DIR."),
    ("ZAMU_REDIS_URL", None, "Redis or Valkey. Unset: an embedded Valkey runs in ZAMU_DATA_DIR."),
    ("ZAMU_BACKUP_DIR", None, "Where the embedded PostgreSQL copies its log, for `zamu restore` to go to any second."),
    ("ZAMU_RETENTION_DAYS", "180", "Days that visits and logs are kept. Phones and names go sooner."),
    ("ZAMU_PUBLIC_URL", "http://127.0.0.1:8000", "Where gateways reach this server from outside."),
    ("ZAMU_TRUSTED_PROXIES", None, "Addresses, networks whose X-Forwarded-For is true, with commas. Unset: 127.0.0.1."),
    ("ZAMU_SECRET_KEY", None, "At least 32 characters. Unset with embedded servers: generated and kept."),
    ("ZAMU_WEBHOOK_SECRET", None, "In gateways' URLs: 16 letters and digits or more; two, with a comma, in a change."),
    ("ZAMU_USSD_SECRETS", "", "More USSD gateways, each with its own: hubtel=… nalo=new,old (docs/gateways.md)."),
    ("ZAMU_METRICS_TOKEN", None, "Opens /metrics to who is not on this machine: at least 16 characters."),
    ("ZAMU_TRACES_URL", None, "scheme://host:port of a collector that takes OpenTelemetry's traces over HTTP."),
    ("ZAMU_SHORTCODE", "*384*40#", "What people dial; at most 11 digits and asterisks, # at the end."),
    ("ZAMU_BRAND", "Zamu", "The name on the first screen; at most 12 letters."),
    ("ZAMU_HELP_PHONE", "0700123456", "A person to call while no branch is chosen yet; at most 13 characters."),
    ("ZAMU_SMS_GATEWAYS", None, "Who sends texts, in order: africastalking, twilio, console. Unset: what has a key."),
    ("ZAMU_SMS_ROUTES", "", "Another order for phones that begin so: +254=africastalking,twilio +1=twilio"),
    ("ZAMU_SMS_RATES", "", "Texts a second and process at most: africastalking=30 twilio=10"),
    ("ZAMU_SMS_ONLY_TO", "", "How the phones begin that get texts, such as +254 +2557. Unset: no matter how."),
    ("ZAMU_SMS_KEYWORD", "", "The word that begins each text to a short code that we share with others."),
    ("ZAMU_STAFF_CODES", "", "Set to yes: staff texts need the code of the last answer, not the PIN each time."),
    ("ZAMU_AT_USERNAME", "sandbox", "Africa's Talking: the app's username."),
    ("ZAMU_AT_API_KEY", None, "Africa's Talking: the app's key."),
    ("ZAMU_AT_SENDER", None, "Africa's Talking: short code or alphanumeric sender."),
    ("ZAMU_AT_BASE_URL", None, "scheme://host:port of a stand-in for Africa's Talking, such as the small telco."),
    ("ZAMU_TWILIO_ACCOUNT_SID", None, "Twilio: the account, AC…"),
    ("ZAMU_TWILIO_AUTH_TOKEN", None, "Twilio: its primary token; more with commas, in a change or for shared keys."),
    ("ZAMU_TWILIO_FROM", None, "Twilio: our number with its plus, a name, or a messaging service, MG…"),
    ("ZAMU_TWILIO_BASE_URL", None, "scheme://host:port of a stand-in for Twilio, such as the small telco."),
)  # fmt: skip

NOTHING = "Nothing was started. `zamu serve --help` says what is expected."
KNOWN = {"africastalking", "twilio", "console"}
KNOWN_USSD = {"airtel", "arkesel", "beem", "hubtel", "infobip", "mtn", "nalo", "safaricom"}


class SettingsError(Exception):
    """A setting is missing or wrong; the message is one sentence for the operator."""


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings, checked. `webhook_secrets` are all accepted; gateways are set up with the first."""

    data_dir: Path
    database_url: str | None
    redis_url: str | None
    backup_dir: Path | None
    retention_days: int
    public_url: str
    trusted_proxies: str | None
    secret_key: str
    webhook_secrets: tuple[str, ...]
    ussd_secrets: dict[str, tuple[str, ...]]
    metrics_token: str | None
    traces_url: str | None
    shortcode: str
    brand: str
    help_phone: str
    sms_gateways: tuple[str, ...]
    sms_routes: dict[str, list[str]]
    sms_rates: dict[str, float]
    sms_only_to: tuple[str, ...]
    sms_keyword: str
    staff_codes: bool
    at_username: str
    at_api_key: str | None
    at_sender: str | None
    at_base_url: str | None
    twilio_account_sid: str | None
    twilio_auth_tokens: tuple[str, ...]
    twilio_from: str | None
    twilio_base_url: str | None

    @property
    def spool(self) -> Path:
        """Where texts are kept while the database is away."""
        return self.data_dir / "spool"

    @property
    def embedded(self) -> bool:
        """Whether a server of ours is to run inside the data folder."""
        return self.database_url is None or self.redis_url is None


def load(environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings of this process. Raises SettingsError."""
    read = {name: environ.get(name) or default for name, default, _ in TABLE}
    _need_plain(read)
    data_dir = Path(str(read["ZAMU_DATA_DIR"]))
    secret_key, webhook = read["ZAMU_SECRET_KEY"], read["ZAMU_WEBHOOK_SECRET"]
    if not (secret_key and webhook):
        secret_key, webhook = _kept_secrets(data_dir, read)
    settings = Settings(
        data_dir=data_dir,
        database_url=read["ZAMU_DATABASE_URL"],
        redis_url=read["ZAMU_REDIS_URL"],
        backup_dir=Path(backups) if (backups := read["ZAMU_BACKUP_DIR"]) else None,
        retention_days=int(days) if (days := str(read["ZAMU_RETENTION_DAYS"])).isdecimal() else 0,
        public_url=str(read["ZAMU_PUBLIC_URL"]).rstrip("/"),
        trusted_proxies=read["ZAMU_TRUSTED_PROXIES"],
        secret_key=secret_key,
        webhook_secrets=_parts(webhook),
        ussd_secrets={code: _parts(given) for code, given in _pairs(read, "ZAMU_USSD_SECRETS")},
        metrics_token=read["ZAMU_METRICS_TOKEN"],
        traces_url=read["ZAMU_TRACES_URL"],
        shortcode=str(read["ZAMU_SHORTCODE"]),
        brand=str(read["ZAMU_BRAND"]),
        help_phone=str(read["ZAMU_HELP_PHONE"]),
        sms_gateways=_gateways(read),
        sms_routes={prefix: codes.split(",") for prefix, codes in _pairs(read, "ZAMU_SMS_ROUTES")},
        sms_rates={code: _rate(rate) for code, rate in _pairs(read, "ZAMU_SMS_RATES")},
        sms_only_to=tuple(str(read["ZAMU_SMS_ONLY_TO"]).split()),
        sms_keyword=str(read["ZAMU_SMS_KEYWORD"]),
        staff_codes=_yes(read, "ZAMU_STAFF_CODES"),
        at_username=str(read["ZAMU_AT_USERNAME"]),
        at_api_key=read["ZAMU_AT_API_KEY"],
        at_sender=read["ZAMU_AT_SENDER"],
        at_base_url=read["ZAMU_AT_BASE_URL"],
        twilio_account_sid=read["ZAMU_TWILIO_ACCOUNT_SID"],
        twilio_auth_tokens=_parts(read["ZAMU_TWILIO_AUTH_TOKEN"]),
        twilio_from=read["ZAMU_TWILIO_FROM"],
        twilio_base_url=read["ZAMU_TWILIO_BASE_URL"],
    )
    _check(settings)
    return settings


def _parts(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def _gateways(read: Mapping[str, str | None]) -> tuple[str, ...]:
    if named := read["ZAMU_SMS_GATEWAYS"]:
        return _parts(named)
    keys = {"africastalking": "ZAMU_AT_API_KEY", "twilio": "ZAMU_TWILIO_AUTH_TOKEN"}
    return tuple(code for code, key in keys.items() if read[key]) or ("console",)


def _pairs(read: Mapping[str, str | None], name: str) -> list[tuple[str, str]]:
    pairs = [part.partition("=") for part in (read[name] or "").split()]
    if not all(key and value for key, _, value in pairs):
        raise SettingsError(f"{name} is not like name=value name=value. {NOTHING}")
    return [(key, value) for key, _, value in pairs]


def _yes(read: Mapping[str, str | None], name: str) -> bool:
    if read[name] not in {"yes", ""}:
        raise SettingsError(f"{name} is neither yes nor empty. {NOTHING}")
    return read[name] == "yes"


def _rate(text: str) -> float:
    if not re.fullmatch(r"\d{1,4}(\.\d+)?", text) or float(text) == 0:
        raise SettingsError(f"ZAMU_SMS_RATES has what is no number of texts a second. {NOTHING}")
    return float(text)


def _kept_secrets(data_dir: Path, read: Mapping[str, str | None]) -> tuple[str, str]:
    """What is not given is made at first start and kept beside the embedded servers; outside servers want real ones."""
    given = {name: read[name] for name in ("ZAMU_SECRET_KEY", "ZAMU_WEBHOOK_SECRET")}
    if read["ZAMU_DATABASE_URL"]:
        missing = next(name for name, value in given.items() if not value)
        raise SettingsError(
            f"{missing} is not set. Nothing was started. Set it to a random text, for example the output of"
            " `python3 -c 'import secrets; print(secrets.token_urlsafe(32))'`."
        )
    try:
        secret_key, webhook = kept_secrets.kept(data_dir)
    except kept_secrets.Unusable as problem:
        raise SettingsError(str(problem)) from None
    return given["ZAMU_SECRET_KEY"] or secret_key, given["ZAMU_WEBHOOK_SECRET"] or webhook


def _need_plain(read: Mapping[str, str | None]) -> None:
    for name, value in read.items():
        if value and not value.isprintable():
            raise SettingsError(
                f"{name} holds a character that cannot be seen, such as a line break. Nothing was started."
                " Type it anew."
            )


def _check(settings: Settings) -> None:
    problems = [
        (len(settings.secret_key) < 32, "ZAMU_SECRET_KEY is shorter than 32 characters"),
        (settings.metrics_token is not None and len(settings.metrics_token) < 16,
         "ZAMU_METRICS_TOKEN has under 16 characters"),
        (not settings.webhook_secrets, "ZAMU_WEBHOOK_SECRET is empty"),
        *_bad_secrets("ZAMU_WEBHOOK_SECRET", settings.webhook_secrets),
        *_bad_secrets("ZAMU_USSD_SECRETS", [*chain(*settings.ussd_secrets.values())]),
        (not all(settings.ussd_secrets.values()), "ZAMU_USSD_SECRETS has an empty secret"),
        (not KNOWN_USSD.issuperset(settings.ussd_secrets),
         f"ZAMU_USSD_SECRETS names what is none of {', '.join(sorted(KNOWN_USSD))}"),
        (bad_url(settings.database_url, "postgresql", "postgres"),
         "ZAMU_DATABASE_URL is not like postgresql://user@host/name"),
        (not 30 <= settings.retention_days <= 3650, "ZAMU_RETENTION_DAYS is not a number from 30 to 3650"),
        (bad_redis(settings.redis_url), "ZAMU_REDIS_URL is not like redis://host:6379/0"),
        (not re.fullmatch(r"\*[0-9*]{1,9}#", settings.shortcode), "ZAMU_SHORTCODE is not like *384*40#"),
        (units(settings.brand) > 12 or not is_gsm(settings.brand),
         "ZAMU_BRAND has not 1 to 12 letters that every phone shows"),
        (len(settings.help_phone) > 13, "ZAMU_HELP_PHONE is longer than 13 characters"),
        (not all(re.fullmatch(r"\+[1-9]\d*", one, re.ASCII) for one in settings.sms_only_to),
         "ZAMU_SMS_ONLY_TO is not like +254 +2557"),
        (not re.fullmatch("[A-Za-z0-9]*", settings.sms_keyword),
         "ZAMU_SMS_KEYWORD is not one word of letters A to Z and digits"),
        (bad_base(settings.at_base_url), "ZAMU_AT_BASE_URL is not scheme://host:port alone"),
        (bad_base(settings.traces_url), "ZAMU_TRACES_URL is not scheme://host:port alone"),
        (settings.traces_url is not None and find_spec("opentelemetry") is None,
         "ZAMU_TRACES_URL is set, but the packages of the extra `traces` are not installed"),
        (bad_networks(settings.trusted_proxies),
         "ZAMU_TRUSTED_PROXIES is not like 10.0.0.5,10.1.0.0/16: addresses and networks, with commas"),
        (bad_base(settings.public_url), "ZAMU_PUBLIC_URL is not scheme://host:port alone"),
        ("africastalking" in settings.sms_gateways and not settings.at_api_key,
         "ZAMU_SMS_GATEWAYS names africastalking, but ZAMU_AT_API_KEY is not set"),
        ("twilio" in settings.sms_gateways
         and not (settings.twilio_account_sid and settings.twilio_auth_tokens and settings.twilio_from),
         "ZAMU_SMS_GATEWAYS names twilio, which needs ZAMU_TWILIO_ACCOUNT_SID, _AUTH_TOKEN and _FROM"),
        (bad_base(settings.twilio_base_url), "ZAMU_TWILIO_BASE_URL is not scheme://host:port alone"),
        (not KNOWN.issuperset(settings.sms_gateways), "ZAMU_SMS_GATEWAYS names an unknown one"),
        (not set(settings.sms_gateways).issuperset([*chain(*settings.sms_routes.values()), *settings.sms_rates]),
         "ZAMU_SMS_ROUTES or ZAMU_SMS_RATES names a gateway that ZAMU_SMS_GATEWAYS does not"),
    ]  # fmt: skip
    for wrong, sentence in problems:
        if wrong:
            raise SettingsError(f"{sentence}. {NOTHING}")


def _bad_secrets(name: str, given: Iterable[str]) -> list[tuple[bool, str]]:
    return [
        (any(len(one) < 16 for one in given), f"{name} has under 16 characters"),
        (not all(re.fullmatch(r"[\w-]+", one, re.ASCII) for one in given),
         f"{name} has a character that no URL holds as it is"),
    ]  # fmt: skip


def as_environ(settings: Settings) -> dict[str, str]:
    """The environment variables that give another process these very settings."""
    given = {
        "ZAMU_DATA_DIR": str(settings.data_dir),
        "ZAMU_DATABASE_URL": settings.database_url,
        "ZAMU_REDIS_URL": settings.redis_url,
        "ZAMU_BACKUP_DIR": str(settings.backup_dir) if settings.backup_dir else None,
        "ZAMU_RETENTION_DAYS": str(settings.retention_days),
        "ZAMU_PUBLIC_URL": settings.public_url,
        "ZAMU_TRUSTED_PROXIES": settings.trusted_proxies,
        "ZAMU_SECRET_KEY": settings.secret_key,
        "ZAMU_WEBHOOK_SECRET": ",".join(settings.webhook_secrets),
        "ZAMU_USSD_SECRETS": " ".join(f"{code}={','.join(given)}" for code, given in settings.ussd_secrets.items()),
        "ZAMU_METRICS_TOKEN": settings.metrics_token,
        "ZAMU_TRACES_URL": settings.traces_url,
        "ZAMU_SHORTCODE": settings.shortcode,
        "ZAMU_BRAND": settings.brand,
        "ZAMU_HELP_PHONE": settings.help_phone,
        "ZAMU_SMS_GATEWAYS": ",".join(settings.sms_gateways),
        "ZAMU_AT_USERNAME": settings.at_username,
        "ZAMU_AT_API_KEY": settings.at_api_key,
        "ZAMU_AT_SENDER": settings.at_sender,
        "ZAMU_AT_BASE_URL": settings.at_base_url,
        "ZAMU_SMS_ROUTES": " ".join(f"{prefix}={','.join(codes)}" for prefix, codes in settings.sms_routes.items()),
        "ZAMU_SMS_RATES": " ".join(f"{code}={rate}" for code, rate in settings.sms_rates.items()),
        "ZAMU_SMS_ONLY_TO": " ".join(settings.sms_only_to),
        "ZAMU_SMS_KEYWORD": settings.sms_keyword,
        "ZAMU_STAFF_CODES": "yes" if settings.staff_codes else "",
        "ZAMU_TWILIO_ACCOUNT_SID": settings.twilio_account_sid,
        "ZAMU_TWILIO_AUTH_TOKEN": ",".join(settings.twilio_auth_tokens),
        "ZAMU_TWILIO_FROM": settings.twilio_from,
        "ZAMU_TWILIO_BASE_URL": settings.twilio_base_url,
    }
    return {name: value for name, value in given.items() if value is not None}
