"""Reminders: who wishes which, which were queued, which devices are told, and what waits to be told."""

from tortoise import fields, migrations

from aggregator.schema import CreateTable


class Migration(migrations.Migration):
    dependencies = [("karman", "0005_gone_spaces")]

    operations = [
        CreateTable(
            name="PushSubscription",
            fields=[
                ("device_id", fields.UUIDField(primary_key=True)),
                ("account_id", fields.UUIDField(db_index=True)),
                ("endpoint", fields.TextField()),
                ("endpoint_hash", fields.CharField(max_length=64, db_index=True)),
                ("p256dh", fields.CharField(max_length=100)),
                ("auth", fields.CharField(max_length=40)),
                ("language", fields.CharField(max_length=8)),
                ("expires_ms", fields.BigIntField(null=True)),
                ("created_ms", fields.BigIntField()),
            ],
            options={"table": "push_subscription", "app": "karman"},
            references={"device_id": "device", "account_id": "account"},
        ),
        CreateTable(
            name="Notice",
            fields=[
                ("id", fields.UUIDField(primary_key=True)),
                ("account_id", fields.UUIDField(db_index=True)),
                ("device_id", fields.UUIDField(db_index=True)),
                ("kind", fields.CharField(max_length=16)),
                ("body", fields.TextField()),
                ("next_ms", fields.BigIntField(db_index=True)),
                ("until_ms", fields.BigIntField()),
                ("tries", fields.SmallIntField()),
            ],
            options={"table": "notice", "app": "karman"},
            references={"device_id": "device", "account_id": "account"},
        ),
        CreateTable(
            name="ReminderWish",
            fields=[
                ("account_id", fields.UUIDField(primary_key=True)),
                ("days", fields.CharField(max_length=64)),
                ("quiet_from", fields.SmallIntField(null=True)),
                ("quiet_to", fields.SmallIntField(null=True)),
                ("zone", fields.CharField(max_length=64)),
                ("details", fields.SmallIntField()),
                ("look_ms", fields.BigIntField(null=True, db_index=True)),
            ],
            options={"table": "reminder_wish", "app": "karman"},
            references={"account_id": "account"},
        ),
        CreateTable(
            name="Reminded",
            fields=[
                ("account_id", fields.UUIDField(primary_key=True)),
                ("space_id", fields.UUIDField()),
                ("key", fields.CharField(max_length=80)),
                ("ends_on", fields.CharField(max_length=10)),
                ("step", fields.SmallIntField()),
            ],
            options={"table": "reminded", "app": "karman"},
            key=("account_id", "space_id", "key", "ends_on", "step"),
            references={"account_id": "account", "space_id": "space"},
        ),
    ]
