"""What a text weighs on a phone network, and making text plain enough to be cheap and harmless."""
# ruff: noqa: RUF001 - letters that look like others are the subject here

from __future__ import annotations

import unicodedata

GSM_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_EXTENSION = frozenset("^{}\\[~]|€\f")
NAME_LENGTH = 16  # what staff screens and texts have room for

# Letters and signs that Unicode does not take apart into a plain one and a mark.
_LOOKS = {
    "'": "‘’‚‛′`´ʼʻʹ^",
    '"': "“”„‟″«»",
    "-": "‐‑‒–—―−⁃~",
    "(": "[{",
    ")": "]}",
    "/": "\\|⁄",
    "*": "•·∙●",
    "x": "×",
}
_LETTERS = dict(zip("ɓƁɗƊđĐðÐɛƐəƏħĦıɩƙƘłŁɔƆʋƴƳ", "bBdDdDdDeEeEhHiikKlLoOvyY", strict=True))
_PAIRS = {"ŋ": "ng", "Ŋ": "Ng", "œ": "oe", "Œ": "OE", "þ": "th", "Þ": "Th", "ẞ": "SS", "€": "EUR"}
_PLAIN = {look: plain for plain, looks in _LOOKS.items() for look in looks} | _LETTERS | _PAIRS
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_SPACES = frozenset({"Zs", "Zl", "Zp"})
_MARKS = frozenset(map(chr, range(0x300, 0x370)))  # accents that found no letter to melt into


def is_gsm(text: str) -> bool:
    """Whether the text travels in the 7-bit GSM alphabet; one other character more than doubles the price."""
    return all(character in GSM_BASIC or character in GSM_EXTENSION for character in text)


def units(text: str) -> int:
    """What the text fills of a screen or a message.

    Septets, two for an extension character such as `[`, where the GSM alphabet holds the text; otherwise
    units of UTF-16, two for an emoji.
    """
    if is_gsm(text):
        return len(text) + sum(character in GSM_EXTENSION for character in text)
    return len(text.encode("utf-16-be", "surrogatepass")) // 2


def normalise(text: str) -> str:
    """The same words in the characters that cost least.

    Quotes, dashes, brackets and spaces become plain, invisible characters go, accents stay only where the GSM
    alphabet has them. Letters without a plain form (Amharic, Arabic) stay as they are.
    """
    visible = "".join(character for character in text if character in "\n\t" or not _is_invisible(character))
    return "".join(_plain(character) for character in unicodedata.normalize("NFKC", visible))


def plain_name(text: str) -> str | None:
    """A person's name as every screen and text can show it, at most 16 characters of the basic GSM alphabet.

    None where nothing of it can be written in that alphabet: such a person is called by number.
    """
    written = "".join(character if character in GSM_BASIC else "" for character in normalise(text))
    name = " ".join(written.split())[:NAME_LENGTH].rstrip()
    return name if any(character.isalpha() for character in name) else None


def _is_invisible(character: str) -> bool:
    return unicodedata.category(character) in _INVISIBLE


def _plain(character: str) -> str:
    if character in GSM_BASIC:
        return character
    if character == "\t" or unicodedata.category(character) in _SPACES:
        return " "
    if character in _MARKS:
        return ""
    if character in _PLAIN:
        return _PLAIN[character]
    bare = unicodedata.normalize("NFKD", character)
    return bare[0] if len(bare) > 1 and bare[0] in GSM_BASIC else character
