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


class ReminderWish(Model):
    """How a person wants to be reminded: so many days before a card ends (`30,7,1,0`), never between these minutes of
    the day in their zone, with the cards' names where `details` is 1. From `look_ms` on somebody should look which
    cards end; null where the person wants no reminders."""

    account_id = fields.UUIDField(primary_key=True)
    days = fields.CharField(max_length=64)
    quiet_from = fields.SmallIntField(null=True)
    quiet_to = fields.SmallIntField(null=True)
    zone = fields.CharField(max_length=64)
    details = fields.SmallIntField()
    look_ms = fields.BigIntField(null=True, db_index=True)

    class Meta:
        table = "reminder_wish"


class Reminded(Model):
    """A reminder that was queued, so that none is queued twice. `step` is the number of days before the end that it is
    for. Key: account, space, key, ends_on, step."""

    account_id = fields.UUIDField(primary_key=True)
    space_id = fields.UUIDField()
    key = fields.CharField(max_length=80)
    ends_on = fields.CharField(max_length=10)
    step = fields.SmallIntField()

    class Meta:
        table = "reminded"
