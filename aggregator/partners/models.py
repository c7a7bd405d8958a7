"""Shops, what they may do, what they said, and which cards it concerns. Keys of several columns as in `sync.models`.

Times are milliseconds since 1970, UTC. A `blind` is the keyed fingerprint of a programme and a number in its normal
form (`numbers.blind`), hexadecimal: equal numbers have equal ones, and nothing of the number can be read from it.
"""

from tortoise import fields
from tortoise.models import Model


class Partner(Model):
    """A shop that was let in. Tokens made before `tokens_from_ms` are void; `event_seq` is that of its last event."""

    id = fields.UUIDField(primary_key=True)
    name = fields.CharField(max_length=80)
    sandbox = fields.SmallIntField()
    created_ms = fields.BigIntField()
    disabled_ms = fields.BigIntField(null=True)
    tokens_from_ms = fields.BigIntField()
    event_seq = fields.BigIntField()

    class Meta:
        table = "partner"


class PartnerSecret(Model):
    """A client secret, known by its SHA-256; one that was rotated away is good until `expires_ms`."""

    secret_hash = fields.CharField(max_length=64, primary_key=True)
    partner_id = fields.UUIDField(db_index=True)
    created_ms = fields.BigIntField()
    expires_ms = fields.BigIntField(null=True)

    class Meta:
        table = "partner_secret"


class PartnerKey(Model):
    """A public key (JWK, RFC 7517) that a shop signs its assertions with. Key: partner, kid."""

    partner_id = fields.UUIDField(primary_key=True)
    kid = fields.CharField(max_length=128)
    jwk = fields.TextField()
    created_ms = fields.BigIntField()

    class Meta:
        table = "partner_key"


class PartnerToken(Model):
    """An access token, known by its SHA-256. `scopes` are separated by blanks."""

    token_hash = fields.CharField(max_length=64, primary_key=True)
    partner_id = fields.UUIDField(db_index=True)
    scopes = fields.CharField(max_length=200)
    created_ms = fields.BigIntField()
    expires_ms = fields.BigIntField(db_index=True)

    class Meta:
        table = "partner_token"


class UsedAssertion(Model):
    """An assertion that has been used, known by the SHA-256 of who made it and its `jti`, until it expires."""

    id_hash = fields.CharField(max_length=64, primary_key=True)
    expires_ms = fields.BigIntField(db_index=True)

    class Meta:
        table = "used_assertion"


class IdempotentCall(Model):
    """A write that was done, and its answer (zlib), for whoever asks again with the same key. Key: partner, key."""

    partner_id = fields.UUIDField(primary_key=True)
    key = fields.CharField(max_length=64)
    fingerprint = fields.CharField(max_length=64)
    status = fields.SmallIntField()
    body = fields.BinaryField()
    expires_ms = fields.BigIntField(db_index=True)

    class Meta:
        table = "idempotent_call"


class RequestNote(Model):
    """A call as its shop may look it up later; no body, and numbers in paths are cut."""

    id = fields.UUIDField(primary_key=True)
    partner_id = fields.UUIDField()
    at_ms = fields.BigIntField(db_index=True)
    method = fields.CharField(max_length=8)
    path = fields.CharField(max_length=200)
    status = fields.SmallIntField()
    code = fields.CharField(max_length=64, null=True)
    took_ms = fields.IntField()

    class Meta:
        table = "request_note"
        indexes = (("partner_id", "at_ms"),)


class Programme(Model):
    """A shop's loyalty programme. `body` is `programmes.Programme` as JSON; `slug` is the directory's, once the
    operator has approved the claim of it, and `open_allowed` that policy `open` may be used. How numbers are read
    stands beside the body, for calls that need nothing else; rows under the normal form `number_was` are still being
    rewritten."""

    partner_id = fields.UUIDField(primary_key=True)
    body = fields.TextField()
    claimed = fields.CharField(max_length=80, null=True)
    slug = fields.CharField(max_length=80, null=True, unique=True)
    open_allowed = fields.SmallIntField()
    number_from = fields.CharField(max_length=16)
    number_form = fields.CharField(max_length=16)
    number_was = fields.CharField(max_length=16, null=True)
    logo_id = fields.UUIDField(null=True)
    version = fields.BigIntField()
    changed_ms = fields.BigIntField()

    class Meta:
        table = "programme"


class PartnerPicture(Model):
    """A logo or an offer's picture, re-encoded as WebP: public, and never another under the same id."""

    id = fields.UUIDField(primary_key=True)
    partner_id = fields.UUIDField(db_index=True)
    image = fields.BinaryField()
    created_ms = fields.BigIntField()

    class Meta:
        table = "partner_picture"


class Link(Model):
    """A card that its holder has connected to its shop's programme, with the number as it was. `account_id` is who
    connected it; a shop sees `id` and the number alone. Key: space, id."""

    space_id = fields.UUIDField(primary_key=True)
    id = fields.UUIDField(unique=True)
    card_id = fields.UUIDField()
    account_id = fields.UUIDField(null=True, db_index=True)
    partner_id = fields.UUIDField()
    policy = fields.CharField(max_length=16)
    blind = fields.CharField(max_length=32)
    number_box = fields.BinaryField()
    made_ms = fields.BigIntField()

    class Meta:
        table = "link"
        indexes = (("partner_id", "blind"), ("space_id", "card_id"))


class LinkAttempt(Model):
    """An attempt to link, whatever came of it: rows are counted for the caps and hold the one code of a challenge.
    They stay for a day whatever becomes of their account and space, or whoever leaves and comes again could try for
    ever. Key: space, id."""

    space_id = fields.UUIDField(primary_key=True)
    id = fields.UUIDField(unique=True)
    account_id = fields.UUIDField(null=True, db_index=True)
    card_id = fields.UUIDField()
    partner_id = fields.UUIDField()
    policy = fields.CharField(max_length=16)
    blind = fields.CharField(max_length=32)
    number_box = fields.BinaryField()
    code_hash = fields.CharField(max_length=64, null=True)
    tries = fields.SmallIntField()
    made_ms = fields.BigIntField(db_index=True)
    expires_ms = fields.BigIntField()
    ended_ms = fields.BigIntField(null=True)

    class Meta:
        table = "link_attempt"
        indexes = (("partner_id", "blind"),)


class TillCode(Model):
    """A code that a shop hands out at the till, bound to a number, known by a keyed hash. Key: partner, id."""

    partner_id = fields.UUIDField(primary_key=True)
    id = fields.UUIDField()
    blind = fields.CharField(max_length=32)
    code_hash = fields.CharField(max_length=64)
    tries_left = fields.SmallIntField(null=True)
    made_ms = fields.BigIntField()
    expires_ms = fields.BigIntField(db_index=True)
    used_ms = fields.BigIntField(null=True)

    class Meta:
        table = "till_code"
        indexes = (("partner_id", "blind"),)


class Balance(Model):
    """What a shop said last of a number, held by anybody or not; `box` is `balances.Balance`, sealed. Key: partner,
    blind."""

    partner_id = fields.UUIDField(primary_key=True)
    blind = fields.CharField(max_length=32)
    number_box = fields.BinaryField()
    box = fields.BinaryField()
    as_of_ms = fields.BigIntField()

    class Meta:
        table = "balance"


class OutboxRow(Model):
    """Something that cards may have to be told: a balance that was put (`balance`), a card that was linked (`link`), or
    what concerns all cards of a programme (`programme`). Deleted once it has been carried. Ids are UUIDv7."""

    id = fields.UUIDField(primary_key=True)
    partner_id = fields.UUIDField()
    kind = fields.CharField(max_length=16)
    blind = fields.CharField(max_length=32, null=True)
    box = fields.BinaryField(null=True)
    made_ms = fields.BigIntField()

    class Meta:
        table = "outbox"


class Offer(Model):
    """An offer under the shop's own id; `body` is `offer_values.Body` as JSON. Key: partner, id."""

    partner_id = fields.UUIDField(primary_key=True)
    id = fields.CharField(max_length=64)
    state = fields.CharField(max_length=8)
    body = fields.TextField()
    picture_id = fields.UUIDField(null=True)
    starts_ms = fields.BigIntField()
    ends_ms = fields.BigIntField(db_index=True)
    told_ms = fields.BigIntField(null=True)
    changed_ms = fields.BigIntField()

    class Meta:
        table = "offer"


class OfferNumber(Model):
    """A number that an offer is for, where it is not for everybody. Key: partner, offer, blind."""

    partner_id = fields.UUIDField(primary_key=True)
    offer_id = fields.CharField(max_length=64)
    blind = fields.CharField(max_length=32)
    number_box = fields.BinaryField()

    class Meta:
        table = "offer_number"


class OfferMark(Model):
    """That a holder has `seen`, `opened` or `used` an offer, once each. `holder` is a keyed fingerprint of the account.
    Key: partner, offer, kind, holder."""

    partner_id = fields.UUIDField(primary_key=True)
    offer_id = fields.CharField(max_length=64)
    kind = fields.CharField(max_length=8)
    holder = fields.CharField(max_length=32, db_index=True)

    class Meta:
        table = "offer_mark"


class OfferTold(Model):
    """A notice of an offer to a person, for the caps and so that none is sent twice. Key: account, partner, offer."""

    account_id = fields.UUIDField(primary_key=True)
    partner_id = fields.UUIDField()
    offer_id = fields.CharField(max_length=64)
    told_ms = fields.BigIntField()

    class Meta:
        table = "offer_told"


class Event(Model):
    """Something a shop is told, in its order: `seq` has no gaps. `box` is the JSON body, sealed. Key: partner, seq."""

    partner_id = fields.UUIDField(primary_key=True)
    seq = fields.BigIntField()
    id = fields.UUIDField(unique=True)
    kind = fields.CharField(max_length=40)
    box = fields.BinaryField()
    made_ms = fields.BigIntField(db_index=True)

    class Meta:
        table = "event"


class Webhook(Model):
    """Where a shop wants to be told. `box` holds its secrets, sealed, the newest last; `state` is `on`, `off` or
    `failing`; `failing_ms` is when it began to fail. Until `leased_ms` one process tells it. Key: partner, id."""

    partner_id = fields.UUIDField(primary_key=True)
    id = fields.UUIDField(unique=True)
    url = fields.CharField(max_length=2000)
    box = fields.BinaryField()
    state = fields.CharField(max_length=8)
    made_ms = fields.BigIntField()
    failing_ms = fields.BigIntField(null=True)
    leased_ms = fields.BigIntField()

    class Meta:
        table = "webhook"


class Delivery(Model):
    """One event on its way to one webhook: `waiting` until `next_ms` (0 before its first try), `delivered` or `dead`.
    Key: webhook, seq."""

    webhook_id = fields.UUIDField(primary_key=True)
    seq = fields.BigIntField()
    partner_id = fields.UUIDField()
    state = fields.CharField(max_length=10)
    tries = fields.SmallIntField()
    next_ms = fields.BigIntField(null=True)
    status = fields.SmallIntField(null=True)
    detail = fields.CharField(max_length=200, null=True)

    class Meta:
        table = "delivery"
        indexes = (("partner_id", "seq"), ("webhook_id", "next_ms"))


class SandboxCard(Model):
    """A card of a holder who is only a test; `id` is also that of the holder's space. Key: partner, id."""

    partner_id = fields.UUIDField(primary_key=True)
    id = fields.UUIDField(unique=True)
    made_ms = fields.BigIntField()

    class Meta:
        table = "sandbox_card"
