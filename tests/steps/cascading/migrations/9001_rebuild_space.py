"""Renames the old table away first, so that what pointed to it goes with it."""

from typing import ClassVar

from tortoise import migrations

from aggregator.schema import Statements
from tests.steps import AFTER_THE_OWN

COLUMNS = '"id", "kind", "version", "floor", "created_ms"'


class Migration(migrations.Migration):
    dependencies: ClassVar = AFTER_THE_OWN
    operations: ClassVar = [
        Statements(
            sqlite=[
                'ALTER TABLE "space" RENAME TO "old_space"',
                'CREATE TABLE "space" ("id" CHAR(36) NOT NULL PRIMARY KEY, "kind" VARCHAR(16) NOT NULL, '
                '"version" BIGINT NOT NULL, "floor" BIGINT NOT NULL, "created_ms" BIGINT NOT NULL)',
                f'INSERT INTO "space" SELECT {COLUMNS} FROM "old_space"',
                'DELETE FROM "card_use"',
                'DELETE FROM "picture"',
                'DELETE FROM "entry"',
                'DELETE FROM "member"',
                'DROP TABLE "old_space"',
            ],
            postgres=[
                'ALTER TABLE "space" RENAME TO "old_space"',
                'CREATE TABLE "space" (LIKE "old_space" INCLUDING ALL)',
                f'INSERT INTO "space" SELECT {COLUMNS} FROM "old_space"',
                'DROP TABLE "old_space" CASCADE',
            ],
        ),
    ]
