"""Spaces whose rows have gone and whose pictures are still to go."""

from tortoise import fields, migrations

from aggregator.schema import CreateTable


class Migration(migrations.Migration):
    dependencies = [("karman", "0004_leaving")]

    operations = [
        CreateTable(
            name="GoneSpace",
            fields=[("id", fields.UUIDField(primary_key=True))],
            options={"table": "gone_space", "app": "karman"},
        ),
    ]
