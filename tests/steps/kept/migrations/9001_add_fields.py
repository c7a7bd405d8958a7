"""Two fields: one that may be empty, and one that rows already there get a value for."""

from typing import ClassVar

from tortoise import fields, migrations

from tests.steps import AFTER_THE_OWN


class Migration(migrations.Migration):
    dependencies: ClassVar = AFTER_THE_OWN
    operations: ClassVar = [
        migrations.AddField("Entry", "shelf", fields.CharField(max_length=40, null=True)),
        migrations.AddField("Account", "locale", fields.CharField(max_length=8, db_default="ru")),
    ]
