"""A table that points to another, with an index and a key of its own, is rebuilt by hand: longer device names."""

from typing import ClassVar

from tortoise import fields, migrations

from aggregator.schema import Statements

COLUMNS = '"id", "account_id", "name", "token_hash", "created_ms", "seen_ms", "expires_ms", "revoked_ms", "proven_ms"'


class Migration(migrations.Migration):
    dependencies: ClassVar = [("karman", "9002_rebuild_parents")]
    operations: ClassVar = [
        Statements(
            sqlite=[
                'CREATE TABLE "new_device" ("id" CHAR(36) NOT NULL PRIMARY KEY, "account_id" CHAR(36) NOT NULL '
                'REFERENCES "account" ("id") ON DELETE CASCADE, "name" VARCHAR(120) NOT NULL, '
                '"token_hash" VARCHAR(64) NOT NULL UNIQUE, "created_ms" BIGINT NOT NULL, "seen_ms" BIGINT NOT NULL, '
                '"expires_ms" BIGINT NOT NULL, "revoked_ms" BIGINT, "proven_ms" BIGINT NOT NULL DEFAULT 0)',
                f'INSERT INTO "new_device" SELECT {COLUMNS} FROM "device"',
                'DROP TABLE "device"',
                'ALTER TABLE "new_device" RENAME TO "device"',
                'CREATE INDEX "idx_device_account" ON "device" ("account_id")',
            ],
            postgres=['ALTER TABLE "device" ALTER COLUMN "name" TYPE VARCHAR(120)'],
            state=[migrations.AlterField("Device", "name", fields.CharField(max_length=120))],
        ),
    ]
