"""E-mail addresses: which can be kept, and which are the same."""

import unicodedata

MAX_EMAIL = 254


def email_key(email: str) -> str:
    """What makes two spellings of an address the same: how letters are composed, case and outer blanks are ignored.

    No more than that: `straße.de` and `strasse.de` are two domains, of two owners.
    """
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", email).strip().lower())


def is_email(email: str) -> bool:
    """Whether it can be an address, and fits its columns."""
    local, at, domain = email.rpartition("@")
    plain = email.isprintable() and " " not in email and is_encodable(email)
    # One character may become three in the key, and both have to fit their columns.
    short = len(email) <= MAX_EMAIL and len(email_key(email)) <= MAX_EMAIL
    labels = domain.split(".")
    return bool(plain and short and at and local and len(labels) > 1 and all(labels) and "@" not in local)


def is_encodable(text: str) -> bool:
    """Lone surrogates survive JSON but no store."""
    return not any("\ud800" <= character <= "\udfff" for character in text)
