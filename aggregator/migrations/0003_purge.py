"""When a body in the bin becomes a tombstone, when a tombstone goes, and which pictures were looked for in cards."""

from tortoise import fields, migrations

from aggregator.schema import Statements

_PURGE = [
    'ALTER TABLE "entry" ADD COLUMN "purge_ms" BIGINT',
    'CREATE INDEX "idx_entry_purge" ON "entry" ("purge_ms") WHERE "purge_ms" IS NOT NULL',
    'ALTER TABLE "picture" ADD COLUMN "checked_version" BIGINT NOT NULL DEFAULT -1',
]


class Migration(migrations.Migration):
    dependencies = [("karman", "0002_patterns_and_jobs")]

    operations = [
        Statements(
            sqlite=_PURGE,
            postgres=_PURGE,
            state=[
                migrations.AddField("Entry", "purge_ms", fields.BigIntField(null=True)),
                migrations.AddField("Picture", "checked_version", fields.BigIntField(db_default=-1)),
            ],
        ),
    ]
