"""Who sends texts for us, made from the settings, and the words that fit each of them."""

from __future__ import annotations

import re
from typing import Any

from settings import Settings
from sms.gateways.africastalking import AfricasTalking
from sms.gateways.console import Console
from sms.gateways.twilio import Twilio
from sms.outbox import Render
from sms.sending import Gateway
from sms.texts import render


def gateway(name: str, settings: Settings) -> Gateway:
    """By its name in `ZAMU_SMS_GATEWAYS`."""
    if name == AfricasTalking.code:
        return AfricasTalking(
            settings.at_username,
            str(settings.at_api_key),
            sender=settings.at_sender,
            base_url=settings.at_base_url,
        )
    if name == Twilio.code:
        secret = settings.webhook_secrets[0]
        return Twilio(
            str(settings.twilio_account_sid),
            settings.twilio_auth_tokens[0],
            sender=str(settings.twilio_from),
            report_url=f"{settings.public_url}/hooks/twilio/delivery/{secret}",
            base_url=settings.twilio_base_url,
        )
    return Console()


def words(settings: Settings) -> Render:
    """The words of a text, which never ask for a reply where the sender is a name."""
    senders = {AfricasTalking.code: settings.at_sender or "a name of theirs", Twilio.code: settings.twilio_from or ""}
    one_way = {code for code, sender in senders.items() if not re.fullmatch(r"\+?\d+|MG\w+", sender)}

    def written(template: str, language: str, parameters: dict[str, Any], gateway: str) -> str:
        return render(template, language, parameters, shortcode=settings.shortcode, can_reply=gateway not in one_way)

    return written
