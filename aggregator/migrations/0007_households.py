"""Households: where a card that was moved stands now, and invitations."""

from tortoise import fields, migrations

from aggregator.schema import CreateTable, Statements


class Migration(migrations.Migration):
    dependencies = [("karman", "0006_reminders")]

    operations = [
        Statements(
            sqlite=['ALTER TABLE "entry" ADD COLUMN "moved_to" CHAR(36)'],
            postgres=['ALTER TABLE "entry" ADD COLUMN "moved_to" UUID'],
            state=[migrations.AddField("Entry", "moved_to", fields.UUIDField(null=True))],
        ),
        CreateTable(
            name="Invitation",
            fields=[
                ("space_id", fields.UUIDField(primary_key=True)),
                ("id", fields.UUIDField()),
                ("token_hash", fields.CharField(max_length=64, db_index=True)),
                ("role", fields.CharField(max_length=16)),
                ("made_by", fields.UUIDField(db_index=True)),
                ("created_ms", fields.BigIntField()),
                ("expires_ms", fields.BigIntField(db_index=True)),
                ("used_by", fields.UUIDField(null=True, db_index=True)),
            ],
            options={"table": "invitation", "app": "karman"},
            key=("space_id", "id"),
            references={"space_id": "space", "made_by": "account"},
        ),
    ]
