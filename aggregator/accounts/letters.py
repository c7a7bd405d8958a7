"""What mails say, in plain text: written in Russian first. A link stands on a line of its own."""

from collections.abc import Sequence
from dataclasses import dataclass

from aggregator.mail import Letter

LANGUAGES = ("ru", "en")
SIGNATURE = {"ru": "Карман", "en": "Karman"}


@dataclass(frozen=True, slots=True)
class _Words:
    """One mail in one language: `{link}` is put in."""

    subject: str
    paragraphs: Sequence[str]


CONFIRM, TAKEN, VERIFY, RESET = "confirm", "taken", "verify", "reset"

_WORDS = {
    (CONFIRM, "ru"): _Words(
        "Подтвердите почту для Кармана",
        (
            "Кто-то, наверное вы, заводит в Кармане аккаунт с этой почтой. Осталось открыть ссылку:",
            "{link}",
            "Она сработает один раз и в течение часа. Если это были не вы, ничего не делайте: аккаунта не будет.",
        ),
    ),
    (CONFIRM, "en"): _Words(
        "Confirm your address for Karman",
        (
            "Somebody, probably you, is making a Karman account with this address. Open the link to finish:",
            "{link}",
            "It works once and for an hour. If it was not you, do nothing: there will be no account.",
        ),
    ),
    (TAKEN, "ru"): _Words(
        "У вас уже есть аккаунт в Кармане",
        (
            "Кто-то, наверное вы, заводит в Кармане аккаунт с этой почтой. Но он уже есть. Войдите:",
            "{link}",
            "Если пароль забылся, там же его можно сменить. Если это были не вы, ничего не делайте: с аккаунтом ничего "
            "не случилось.",
        ),
    ),
    (TAKEN, "en"): _Words(
        "You already have a Karman account",
        (
            "Somebody, probably you, is making a Karman account with this address. But there is one already. Sign in:",
            "{link}",
            "If you forgot the password, you can change it there. If it was not you, do nothing: the account is as it "
            "was.",
        ),
    ),
    (VERIFY, "ru"): _Words(
        "Подтвердите почту для Кармана",
        (
            "Откройте ссылку на устройстве, где вы вошли в Карман, и почта будет подтверждена:",
            "{link}",
            "Она сработает один раз и в течение часа. Если вы не просили об этом, не открывайте её.",
        ),
    ),
    (VERIFY, "en"): _Words(
        "Confirm your address for Karman",
        (
            "Open the link on a device where you are signed in to Karman, and your address is confirmed:",
            "{link}",
            "It works once and for an hour. If you did not ask for this, do not open it.",
        ),
    ),
    (RESET, "ru"): _Words(
        "Новый пароль для Кармана",
        (
            "Кто-то, наверное вы, хочет сменить пароль в Кармане. Откройте ссылку и придумайте новый:",
            "{link}",
            "Она сработает один раз и в течение часа. Если это были не вы, ничего не делайте: пароль не изменится.",
        ),
    ),
    (RESET, "en"): _Words(
        "A new password for Karman",
        (
            "Somebody, probably you, wants to change your Karman password. Open the link and choose a new one:",
            "{link}",
            "It works once and for an hour. If it was not you, do nothing: the password stays as it is.",
        ),
    ),
}


def letter(kind: str, language: str, to: str, link: str) -> Letter:
    """The mail of a kind in a language (any other is Russian)."""
    language = language if language in LANGUAGES else LANGUAGES[0]
    words = _WORDS[kind, language]
    paragraphs = [paragraph.format(link=link) for paragraph in words.paragraphs]
    return Letter(to, words.subject, "\n\n".join([*paragraphs, f"-- \n{SIGNATURE[language]}"]) + "\n")
