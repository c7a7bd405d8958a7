"""Makes a table, changes rows, and then asks for what there is not."""

from typing import ClassVar

from tortoise import migrations

from aggregator.schema import Statements

HALF = [
    'CREATE TABLE "half" ("id" BIGINT NOT NULL PRIMARY KEY)',
    'INSERT INTO "half" VALUES (1)',
    'UPDATE "account" SET "email" = \'overwritten\'',
    'CREATE INDEX "idx_half" ON "no_such_table" ("id")',
]


class Migration(migrations.Migration):
    dependencies: ClassVar = [("karman", "9001_add_fields")]
    operations: ClassVar = [Statements(sqlite=HALF, postgres=HALF)]
