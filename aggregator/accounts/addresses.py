"""E-mail addresses: which can be kept, and which are the same."""

import unicodedata

MAX_EMAIL = 254


def email_key(email: str) -> str:
    """What makes two spellings of an address the same: NFKC, case and outer blanks ignored."""
    return unicodedata.normalize("NFKC", email).strip().casefold()


def is_email(email: str) -> bool:
    """Whether it can be an address, and fits its columns."""
    local, at, domain = email.rpartition("@")
    plain = email.isprintable() and " " not in email and is_encodable(email)
    # One character may become eighteen in the key, and both have to fit their columns.
    short = len(email) <= MAX_EMAIL and len(email_key(email)) <= MAX_EMAIL
    return bool(plain and short and at and local and "." in domain.strip(".") and "@" not in local)


def is_encodable(text: str) -> bool:
    """Lone surrogates survive JSON but no store."""
    return not any("\ud800" <= character <= "\udfff" for character in text)
