"""Devices of deleted accounts that are still to be told, and what restores from backup kept of each space."""

from tortoise import fields, migrations

from aggregator.schema import CreateTable


class Migration(migrations.Migration):
    dependencies = [("karman", "0003_purge")]

    operations = [
        CreateTable(
            name="GoneDevice",
            fields=[
                ("token_hash", fields.CharField(max_length=64, primary_key=True)),
                ("until_ms", fields.BigIntField(db_index=True)),
            ],
            options={"table": "gone_device", "app": "karman"},
        ),
        CreateTable(
            name="RestoredSpace",
            fields=[
                ("space_id", fields.UUIDField(primary_key=True)),
                ("epoch", fields.CharField(max_length=32)),
                ("version", fields.BigIntField()),
            ],
            options={"table": "restored_space", "app": "karman"},
            key=("space_id", "epoch"),
            references={"space_id": "space"},
        ),
    ]
