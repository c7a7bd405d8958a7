"""Accounts and the devices signed in to them. Times are milliseconds since 1970, UTC."""

from tortoise import fields
from tortoise.models import Model


class Account(Model):
    """A person. `email` is as typed; `email_key` is what makes it unique.

    Whoever came through a provider may have no address: then `email` is empty and the key is the id. `verified_ms` is
    when the person proved that mail to the address reaches them.
    """

    id = fields.UUIDField(primary_key=True)
    email = fields.CharField(max_length=254)
    email_key = fields.CharField(max_length=254, unique=True)
    password_hash = fields.TextField(null=True)
    created_ms = fields.BigIntField()
    verified_ms = fields.BigIntField(null=True)

    class Meta:
        table = "account"


class Device(Model):
    """One signed-in browser and its session. A revoked device keeps its row, so that it can be told to wipe.
    `proven_ms` is when the person last proved on it who they are.
    """

    id = fields.UUIDField(primary_key=True)
    account_id = fields.UUIDField(db_index=True)
    name = fields.CharField(max_length=80)
    token_hash = fields.CharField(max_length=64, unique=True)
    created_ms = fields.BigIntField()
    seen_ms = fields.BigIntField()
    expires_ms = fields.BigIntField()
    revoked_ms = fields.BigIntField(null=True)
    proven_ms = fields.BigIntField(db_default=0)

    class Meta:
        table = "device"


class GoneDevice(Model):
    """The token of a device whose account was deleted, so that the device is told to wipe. It names nobody, and goes
    when the session would have ended."""

    token_hash = fields.CharField(max_length=64, primary_key=True)
    until_ms = fields.BigIntField(db_index=True)

    class Meta:
        table = "gone_device"


class SignUp(Model):
    """Somebody asked for an account and has not opened the mail yet. No account stands behind it, so nobody can take an
    address in advance. `token_hash` is that of the mail's link, once it was written.
    """

    id = fields.UUIDField(primary_key=True)
    email = fields.CharField(max_length=254)
    email_key = fields.CharField(max_length=254, db_index=True)
    password_hash = fields.TextField()
    browser_hash = fields.CharField(max_length=64)
    token_hash = fields.CharField(max_length=64, null=True, unique=True)
    expires_ms = fields.BigIntField(db_index=True)

    class Meta:
        table = "sign_up"


class MailToken(Model):
    """A link that was mailed for `purpose` to the address of `email_key`: good once, and until it expires."""

    token_hash = fields.CharField(max_length=64, primary_key=True)
    account_id = fields.UUIDField(db_index=True)
    purpose = fields.CharField(max_length=16)
    email_key = fields.CharField(max_length=254)
    expires_ms = fields.BigIntField(db_index=True)

    class Meta:
        table = "mail_token"


class OutgoingMail(Model):
    """A mail that was asked for. What it says, and whether it is sent at all, is decided when it goes."""

    id = fields.UUIDField(primary_key=True)
    kind = fields.CharField(max_length=16)
    email = fields.CharField(max_length=254)
    email_key = fields.CharField(max_length=254, db_index=True)
    language = fields.CharField(max_length=8)
    sign_up_id = fields.UUIDField(null=True)
    created_ms = fields.BigIntField()
    due_ms = fields.BigIntField(db_index=True)
    attempts = fields.IntField()

    class Meta:
        table = "mail"


class Challenge(Model):
    """A question to a passkey, or a way to a provider, that is under way. `id` is the hash of its handle."""

    id = fields.CharField(max_length=64, primary_key=True)
    purpose = fields.CharField(max_length=16)
    account_id = fields.UUIDField(null=True, db_index=True)
    browser_hash = fields.CharField(max_length=64, null=True)
    body = fields.TextField()
    expires_ms = fields.BigIntField(db_index=True)

    class Meta:
        table = "challenge"


class Passkey(Model):
    """A passkey (WebAuthn). `credential_hash` is the SHA-256 of `credential_id`, which may be long."""

    id = fields.UUIDField(primary_key=True)
    account_id = fields.UUIDField(db_index=True)
    credential_hash = fields.CharField(max_length=64, unique=True)
    credential_id = fields.BinaryField()
    public_key = fields.BinaryField()
    sign_count = fields.BigIntField()
    name = fields.CharField(max_length=80)
    created_ms = fields.BigIntField()
    used_ms = fields.BigIntField(null=True)

    class Meta:
        table = "passkey"


class RecoveryCode(Model):
    """A recovery code that was not used yet."""

    code_hash = fields.CharField(max_length=64, primary_key=True)
    account_id = fields.UUIDField(db_index=True)
    created_ms = fields.BigIntField()

    class Meta:
        table = "recovery_code"


class Identity(Model):
    """Who an account's person is at a provider: (issuer, subject) and nothing else. `label` is for their eyes."""

    id = fields.UUIDField(primary_key=True)
    account_id = fields.UUIDField(db_index=True)
    provider = fields.CharField(max_length=32)
    issuer = fields.CharField(max_length=255)
    subject = fields.CharField(max_length=255)
    label = fields.CharField(max_length=254)
    created_ms = fields.BigIntField()

    class Meta:
        table = "identity"
        unique_together = (("issuer", "subject"),)
