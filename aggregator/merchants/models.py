"""What shops' numbers look like, and which of that is withdrawn. No row names a person, a card or a number.

`format` is a symbology, or `number` for the printed number. Keys have several columns, as in `sync.models`.
"""

from tortoise import fields
from tortoise.models import Model


class PatternRow(Model):
    """A learned or declared pattern. Key: slug, source, format, length, prefix."""

    slug = fields.CharField(max_length=80, primary_key=True)
    source = fields.CharField(max_length=8)
    format = fields.CharField(max_length=32)
    length = fields.IntField()
    prefix = fields.CharField(max_length=6)
    check_digit = fields.CharField(max_length=8, null=True)
    share = fields.FloatField()
    accounts = fields.IntField()

    class Meta:
        table = "pattern"


class WithdrawnPattern(Model):
    """Patterns of a shop that must not be used: `any` format, length 0 and an empty prefix stand for every one. Key:
    all columns."""

    slug = fields.CharField(max_length=80, primary_key=True)
    format = fields.CharField(max_length=32)
    length = fields.IntField()
    prefix = fields.CharField(max_length=6)

    class Meta:
        table = "withdrawn_pattern"
