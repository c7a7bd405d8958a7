"""Looks harmless: a longer address."""

from typing import ClassVar

from tortoise import fields, migrations

from tests.steps import AFTER_THE_OWN


class Migration(migrations.Migration):
    dependencies: ClassVar = AFTER_THE_OWN
    operations: ClassVar = [
        migrations.AlterField("Device", "name", fields.CharField(max_length=120)),
        migrations.AlterField("Member", "role", fields.CharField(max_length=32)),
    ]
