"""Spaces, who may enter them, what stands in them, and what devices have already been told.

What a space or an account owns is keyed by it first. Such keys have several columns, which Tortoise cannot name:
those models are written with `bulk_create`, filters and plain SQL, never with `save`. Times are milliseconds since
1970, UTC.
"""

from tortoise import fields
from tortoise.models import Model


class Space(Model):
    """A place for cards with one counter of versions. Tombstones above version `floor` are all still kept."""

    id = fields.UUIDField(primary_key=True)
    kind = fields.CharField(max_length=16)
    version = fields.BigIntField()
    floor = fields.BigIntField()
    created_ms = fields.BigIntField()

    class Meta:
        table = "space"


class Member(Model):
    """An account that may enter a space. Key: space, account."""

    space_id = fields.UUIDField(primary_key=True)
    account_id = fields.UUIDField(db_index=True)
    role = fields.CharField(max_length=16)

    class Meta:
        table = "member"


class Entry(Model):
    """The sealed body under one key of a space, at the version that wrote it; without a box, a tombstone, which names
    the space that the body `moved_to`, if it did. From `purge_ms` on a body that waits to go becomes a tombstone, and a
    tombstone goes. Key: space, key.
    """

    space_id = fields.UUIDField(primary_key=True)
    key = fields.CharField(max_length=80)
    version = fields.BigIntField()
    schema = fields.SmallIntField()
    box = fields.BinaryField(null=True)
    merchant = fields.CharField(max_length=80, null=True)
    expires_on = fields.CharField(max_length=10, null=True)
    purge_ms = fields.BigIntField(null=True)
    moved_to = fields.UUIDField(null=True)

    class Meta:
        table = "entry"
        indexes = (("space_id", "version"),)


class Client(Model):
    """One queue of one device: its highest id with a receipt, and how often the next one failed by our own error.
    Key: account, id."""

    account_id = fields.UUIDField(primary_key=True)
    id = fields.UUIDField()
    last_id = fields.BigIntField()
    failures = fields.SmallIntField()

    class Meta:
        table = "client"


class Receipt(Model):
    """The outcome of one mutation: the SHA-256 of its body, and the problem if it was refused. Key: account, client,
    id.
    """

    account_id = fields.UUIDField(primary_key=True)
    client_id = fields.UUIDField()
    id = fields.BigIntField()
    body_hash = fields.BinaryField()
    problem = fields.TextField(null=True)

    class Meta:
        table = "receipt"


class RestoredSpace(Model):
    """What a restore from backup kept of a space: of a device that last pulled in the former `epoch`, everything up to
    `version`. Key: space, epoch."""

    space_id = fields.UUIDField(primary_key=True)
    epoch = fields.CharField(max_length=32)
    version = fields.BigIntField()

    class Meta:
        table = "restored_space"


class Invitation(Model):
    """A link into a household, known by the SHA-256 of its token, that lets one account in: `used_by`, from then on.
    Key: space, id."""

    space_id = fields.UUIDField(primary_key=True)
    id = fields.UUIDField()
    token_hash = fields.CharField(max_length=64, db_index=True)
    role = fields.CharField(max_length=16)
    made_by = fields.UUIDField(db_index=True)
    created_ms = fields.BigIntField()
    expires_ms = fields.BigIntField(db_index=True)
    used_by = fields.UUIDField(null=True, db_index=True)

    class Meta:
        table = "invitation"
