"""Tables that others point to are rebuilt by hand: a longer kind of space, a longer address of an account."""

from typing import ClassVar

from tortoise import fields, migrations

from aggregator.schema import Statements


class Migration(migrations.Migration):
    dependencies: ClassVar = [("karman", "9001_add_fields")]
    operations: ClassVar = [
        Statements(
            sqlite=[
                'CREATE TABLE "new_space" ("id" CHAR(36) NOT NULL PRIMARY KEY, "kind" VARCHAR(32) NOT NULL, '
                '"version" BIGINT NOT NULL, "floor" BIGINT NOT NULL, "created_ms" BIGINT NOT NULL)',
                'INSERT INTO "new_space" SELECT "id", "kind", "version", "floor", "created_ms" FROM "space"',
                'DROP TABLE "space"',
                'ALTER TABLE "new_space" RENAME TO "space"',
            ],
            postgres=['ALTER TABLE "space" ALTER COLUMN "kind" TYPE VARCHAR(32)'],
            state=[migrations.AlterField("Space", "kind", fields.CharField(max_length=32))],
        ),
    ]
