"""Pictures that a space has, and the uses of its cards already counted. Keyed by the space first, as in
`sync.models`.
"""

from tortoise import fields
from tortoise.models import Model


class Picture(Model):
    """A sealed picture in the blob store. `upload_mark` is a keyed fingerprint of the upload, so that a repeat is
    recognised; at the space's version `checked_version` a card still showed it. Key: space, id."""

    space_id = fields.UUIDField(primary_key=True)
    id = fields.UUIDField()
    upload_mark = fields.BinaryField()
    size_bytes = fields.IntField()
    created_ms = fields.BigIntField()
    checked_version = fields.BigIntField(db_default=-1)

    class Meta:
        table = "picture"


class CardUse(Model):
    """One use of a card that has been counted. Key: space, card, use."""

    space_id = fields.UUIDField(primary_key=True)
    card_id = fields.UUIDField()
    use_id = fields.UUIDField()

    class Meta:
        table = "card_use"


class GoneSpace(Model):
    """A space that was deleted with its account, or replaced by a restore, while the bytes of its pictures may still be
    there."""

    id = fields.UUIDField(primary_key=True)

    class Meta:
        table = "gone_space"
