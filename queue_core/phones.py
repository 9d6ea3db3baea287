"""One form for every phone number (E.164), and a masked one for logs."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType, ValidationResult

from queue_core.errors import Refused

LONGEST = 40  # what people type, with spaces and brackets
COSTLY = (PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST)


@lru_cache(maxsize=16_384)  # reading a number costs as much as a whole menu step
def normalise(text: str, country: str = "KE") -> str:
    """The number in E.164 (`+254712345678`), read as it is dialled in `country`.

    Whether its range is in use is not asked: the lists of ranges are older than some people's numbers.
    Raises Refused: bad_phone for what is no number, has an extension, or bills whoever sends to it.
    """
    plain = "".join(str(unicodedata.decimal(char, char)) for char in text.strip())
    if len(plain) > LONGEST or not plain.isprintable():
        raise Refused("bad_phone")
    if plain.startswith("00"):
        plain = "+" + plain.removeprefix("00")
    try:
        number = phonenumbers.parse(plain, country)
    except phonenumbers.NumberParseException:
        raise Refused("bad_phone") from None
    if (
        number.extension
        or phonenumbers.is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE
        or phonenumbers.number_type(number) in COSTLY
    ):
        raise Refused("bad_phone")
    normal = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    if phonenumbers.parse(normal) != number:  # surplus zeros: read again, it would be somebody else
        raise Refused("bad_phone")
    return normal


def mask(phone: str) -> str:
    """The number as logs may show it: `+2547*****456`."""
    return f"{phone[:5]}*****{phone[-3:]}"
