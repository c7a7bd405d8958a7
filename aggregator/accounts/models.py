"""Accounts and the devices signed in to them. Times are milliseconds since 1970, UTC."""

from tortoise import fields
from tortoise.models import Model


class Account(Model):
    """A person. `email` is as typed; `email_key` is what makes it unique."""

    id = fields.UUIDField(primary_key=True)
    email = fields.CharField(max_length=254)
    email_key = fields.CharField(max_length=254, unique=True)
    password_hash = fields.TextField(null=True)
    created_ms = fields.BigIntField()

    class Meta:
        table = "account"


class Device(Model):
    """One signed-in browser and its session. A revoked device keeps its row, so that it can be told to wipe."""

    id = fields.UUIDField(primary_key=True)
    account_id = fields.UUIDField(db_index=True)
    name = fields.CharField(max_length=80)
    token_hash = fields.CharField(max_length=64, unique=True)
    created_ms = fields.BigIntField()
    seen_ms = fields.BigIntField()
    expires_ms = fields.BigIntField()
    revoked_ms = fields.BigIntField(null=True)

    class Meta:
        table = "device"


class GoneDevice(Model):
    """The token of a device whose account was deleted, so that the device is told to wipe. It names nobody, and goes
    when the session would have ended."""

    token_hash = fields.CharField(max_length=64, primary_key=True)
    until_ms = fields.BigIntField(db_index=True)

    class Meta:
        table = "gone_device"
