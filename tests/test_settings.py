"""Settings: each wrong value is one sentence, and what is generated is generated once."""

from __future__ import annotations

import json
import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import pytest

from settings import KNOWN_USSD, SettingsError, as_environ, load
from ussd.gateways import GATEWAYS

GOOD = {
    "ZAMU_DATABASE_URL": "postgresql://zamu:secret@db.example.org/zamu",
    "ZAMU_REDIS_URL": "redis://:secret@redis.example.org:6379/0",
    "ZAMU_SECRET_KEY": "k" * 32,
    "ZAMU_WEBHOOK_SECRET": "a-secret-of-sixteen",
}


def problem(environ: dict[str, str]) -> str:
    with pytest.raises(SettingsError) as raised:
        load(environ)
    return str(raised.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ZAMU_DATABASE_URL", "db.example.org/zamu"),
        ("ZAMU_DATABASE_URL", "mysql://db.example.org/zamu"),
        ("ZAMU_DATABASE_URL", "postgresql://zamu:pass/word@db.example.org/zamu"),
        ("ZAMU_DATABASE_URL", "postgresql://db.example.org:port/zamu"),
        ("ZAMU_DATABASE_URL", "postgresql://db.example.org:65536/zamu"),
        ("ZAMU_DATABASE_URL", "postgresql://[::1/zamu"),
        ("ZAMU_REDIS_URL", "redis.example.org"),
        ("ZAMU_REDIS_URL", "http://redis.example.org"),
        ("ZAMU_REDIS_URL", "redis://redis.example.org:port"),
        ("ZAMU_REDIS_URL", "redis://redis.example.org?db=first"),
        ("ZAMU_TRUSTED_PROXIES", "proxy.example.org"),
        ("ZAMU_TRUSTED_PROXIES", "10.0.0.5,"),
        ("ZAMU_TRUSTED_PROXIES", "10.0.0.5/8"),
        ("ZAMU_PUBLIC_URL", "q.example.org"),
        ("ZAMU_PUBLIC_URL", "ftp://q.example.org"),
        ("ZAMU_PUBLIC_URL", "https://"),
        ("ZAMU_PUBLIC_URL", "https://q.example.org/zamu"),
        ("ZAMU_PUBLIC_URL", "https://q.example.org?a=b"),
        ("ZAMU_PUBLIC_URL", "https://q.example.org#a"),
        ("ZAMU_PUBLIC_URL", "https://me@q.example.org"),
        ("ZAMU_PUBLIC_URL", "https://q.example.org:https"),
        ("ZAMU_PUBLIC_URL", "https://[::1"),
        ("ZAMU_SECRET_KEY", "k" * 31),
        ("ZAMU_SECRET_KEY", "k" * 40 + "\n"),
        ("ZAMU_SECRET_KEY", "k" * 40 + "\udcff"),
        ("ZAMU_WEBHOOK_SECRET", "fifteen-letters"),
        ("ZAMU_WEBHOOK_SECRET", "a-secret-of-sixteen,short"),
        ("ZAMU_WEBHOOK_SECRET", " , "),
        ("ZAMU_WEBHOOK_SECRET", "a/secret/of/sixteen"),
        ("ZAMU_WEBHOOK_SECRET", "a secret of sixteen"),
        ("ZAMU_WEBHOOK_SECRET", "a-sécret-of-sixteen"),
        ("ZAMU_USSD_SECRETS", "hubtel"),
        ("ZAMU_USSD_SECRETS", "hubtel="),
        ("ZAMU_USSD_SECRETS", "hubtel=,"),
        ("ZAMU_USSD_SECRETS", "hubtel=fifteen-letters"),
        ("ZAMU_USSD_SECRETS", "hubtel=a/secret/of/sixteen"),
        ("ZAMU_USSD_SECRETS", "pigeons=a-secret-of-sixteen"),
        ("ZAMU_USSD_SECRETS", "africastalking=a-secret-of-sixteen"),
        ("ZAMU_SHORTCODE", "384"),
        ("ZAMU_SHORTCODE", "*384*40"),
        ("ZAMU_SHORTCODE", "*#"),
        ("ZAMU_SHORTCODE", "*384*405060#"),
        ("ZAMU_SHORTCODE", "*384*forty#"),
        ("ZAMU_BRAND", "Huduma Centre"),
        ("ZAMU_METRICS_TOKEN", "fifteen-letters"),
        ("ZAMU_BRAND", "Zamu 🙂"),
        ("ZAMU_BRAND", "[Zamuzamuz]"),
        ("ZAMU_HELP_PHONE", "+254 700 123456"),
        ("ZAMU_SMS_GATEWAYS", "pigeons"),
        ("ZAMU_SMS_GATEWAYS", "twilio"),
        ("ZAMU_SMS_ROUTES", "+254"),
        ("ZAMU_SMS_ROUTES", "+254=twilio"),
        ("ZAMU_SMS_RATES", "console=fast"),
        ("ZAMU_SMS_RATES", "console=0"),
        ("ZAMU_TWILIO_BASE_URL", "twilio.example.org"),
        ("ZAMU_RETENTION_DAYS", "29"),
        ("ZAMU_RETENTION_DAYS", "3651"),
        ("ZAMU_RETENTION_DAYS", "half a year"),
        ("ZAMU_STAFF_CODES", "true"),
        ("ZAMU_STAFF_CODES", "no"),
        ("ZAMU_SMS_KEYWORD", "two words"),
        ("ZAMU_SMS_KEYWORD", "clinic-7"),
        ("ZAMU_SMS_KEYWORD", "kliniką"),
        ("ZAMU_SMS_GATEWAYS", "africastalking"),
        ("ZAMU_AT_BASE_URL", "127.0.0.1:8001"),
        ("ZAMU_AT_BASE_URL", "http://127.0.0.1:8001/version1"),
        ("ZAMU_AT_SENDER", "Zamu\t"),
        ("ZAMU_SMS_ONLY_TO", "254"),
        ("ZAMU_TRACES_URL", "collector:4318"),
    ],
)
def test_a_wrong_value_is_one_sentence_that_names_the_setting_and_not_the_value(name: str, value: str) -> None:
    said = problem(GOOD | {name: value})
    assert said.startswith(f"{name} ")
    assert ". Nothing was started. " in said
    assert "\n" not in said
    assert said.endswith(".")
    if "SECRET" in name or "_URL" in name:
        assert value.strip() not in said


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ZAMU_DATABASE_URL", "postgres://zamu@/zamu?host=/var/run/postgresql&port=5432"),
        ("ZAMU_DATABASE_URL", "postgresql://one.example.org:5432,two.example.org:5433/zamu"),
        ("ZAMU_DATABASE_URL", "postgresql://zamu:pa%2Fss@[::1]:5432/zamu"),
        ("ZAMU_REDIS_URL", "unix:///run/valkey.sock?db=0"),
        ("ZAMU_REDIS_URL", "rediss://me:secret@redis.example.org"),
        ("ZAMU_PUBLIC_URL", "https://q.example.org:8443"),
        ("ZAMU_PUBLIC_URL", "http://[::1]:8000"),
        ("ZAMU_TRUSTED_PROXIES", "10.0.0.5, 10.1.0.0/16,2001:db8::/32"),
        ("ZAMU_SHORTCODE", "*123456789#"),
        ("ZAMU_BRAND", "Afya Bora"),
        ("ZAMU_BRAND", "Zürich 24 Ñ"),
        ("ZAMU_SMS_GATEWAYS", "console"),
        ("ZAMU_SMS_KEYWORD", "Clinic7"),
    ],
)
def test_a_good_value_is_taken_as_it_is(name: str, value: str) -> None:
    assert value in asdict(load(GOOD | {name: value})).values() or name == "ZAMU_SMS_GATEWAYS"


def test_an_empty_value_is_no_value() -> None:
    assert load(GOOD | {"ZAMU_BRAND": "", "ZAMU_AT_API_KEY": ""}).brand == "Zamu"


def test_an_address_may_end_with_a_stroke() -> None:
    assert load(GOOD | {"ZAMU_PUBLIC_URL": "https://q.example.org/"}).public_url == "https://q.example.org"


@pytest.mark.parametrize("missing", ["ZAMU_SECRET_KEY", "ZAMU_WEBHOOK_SECRET"])
def test_outside_servers_want_real_secrets(missing: str) -> None:
    said = problem(GOOD | {missing: ""})
    assert said.startswith(f"{missing} is not set. Nothing was started.")
    assert "token_urlsafe(32)" in said


def test_two_secrets_live_side_by_side_and_the_first_is_given_out() -> None:
    environ = GOOD | {"ZAMU_WEBHOOK_SECRET": "the-new-one-of-them, the-old-one-of-them"}
    assert load(environ).webhook_secrets == ("the-new-one-of-them", "the-old-one-of-them")


def test_a_gateway_for_callers_is_switched_on_by_its_secret() -> None:
    assert load(GOOD).ussd_secrets == {}
    given = {"ZAMU_USSD_SECRETS": "hubtel=the-secret-of-hubtel nalo=the-new-one-of-nalo,the-old-one-of-nalo"}
    assert load(GOOD | given).ussd_secrets == {
        "hubtel": ("the-secret-of-hubtel",),
        "nalo": ("the-new-one-of-nalo", "the-old-one-of-nalo"),
    }


def test_all_gateways_for_callers_can_be_switched_on_except_those_that_always_are() -> None:
    assert GATEWAYS.keys() - KNOWN_USSD == {"africastalking", "neutral"}
    assert GATEWAYS.keys() >= KNOWN_USSD


def test_texts_go_where_there_is_a_key() -> None:
    assert load(GOOD).sms_gateways == ("console",)
    assert load(GOOD | {"ZAMU_AT_API_KEY": "key"}).sms_gateways == ("africastalking",)
    both = GOOD | {"ZAMU_AT_API_KEY": "key", "ZAMU_SMS_GATEWAYS": "console, africastalking"}
    assert load(both).sms_gateways == ("console", "africastalking")


def test_another_process_gets_the_very_same_settings(tmp_path: Path) -> None:
    rich = GOOD | {"ZAMU_WEBHOOK_SECRET": "the-new-one-of-them,the-old-one-of-them", "ZAMU_AT_API_KEY": "key"}
    rich |= {"ZAMU_USSD_SECRETS": "nalo=the-new-one-of-nalo,the-old-one-of-nalo beem=the-secret-of-beem"}
    rich |= {"ZAMU_BACKUP_DIR": str(tmp_path / "backups"), "ZAMU_RETENTION_DAYS": "365"}
    for environ in (GOOD, rich, {"ZAMU_DATA_DIR": str(tmp_path / "data")}):
        settings = load(environ)
        assert load(as_environ(settings)) == settings


def test_secrets_are_generated_once_and_only_their_owner_reads_them(tmp_path: Path) -> None:
    environ = {"ZAMU_DATA_DIR": str(tmp_path / "data")}
    first = load(environ)
    assert load(environ) == first
    assert len(first.secret_key) >= 32
    assert first.secret_key not in first.webhook_secrets
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "data" / "secrets.json").stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["secrets.json"]


def test_a_secret_that_is_given_goes_before_a_kept_one(tmp_path: Path) -> None:
    environ = {"ZAMU_DATA_DIR": str(tmp_path)}
    kept = load(environ)
    given = load(environ | {"ZAMU_SECRET_KEY": "k" * 32})
    assert (given.secret_key, given.webhook_secrets) == ("k" * 32, kept.webhook_secrets)


def test_who_starts_first_together_with_others_shares_the_secrets_with_them(tmp_path: Path) -> None:
    for number in range(20):
        environ = {"ZAMU_DATA_DIR": str(tmp_path / str(number))}
        with ThreadPoolExecutor(8) as threads:
            settings = list(threads.map(lambda _, given=environ: load(given), range(8)))
        assert len({one.secret_key for one in settings}) == 1


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"secret_key": "k"}', "\xff", '"text"'])
def test_broken_secrets_are_named_and_left_alone(tmp_path: Path, content: str) -> None:
    (tmp_path / "secrets.json").write_text(content, encoding="latin-1")
    said = problem({"ZAMU_DATA_DIR": str(tmp_path)})
    assert said.startswith(f"{tmp_path}/secrets.json cannot be read or written: it does not hold what it should.")
    assert (tmp_path / "secrets.json").read_text(encoding="latin-1") == content


def test_a_short_kept_secret_is_refused_like_any_other(tmp_path: Path) -> None:
    (tmp_path / "secrets.json").write_text(json.dumps({"secret_key": "k", "webhook_secret": 5}))
    assert problem({"ZAMU_DATA_DIR": str(tmp_path)}).startswith("ZAMU_SECRET_KEY is shorter")


def test_traces_want_their_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    traced = GOOD | {"ZAMU_TRACES_URL": "http://127.0.0.1:4318"}
    assert load(traced).traces_url == traced["ZAMU_TRACES_URL"]
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    assert problem(traced).startswith("ZAMU_TRACES_URL is set, but the packages of the extra `traces`")
