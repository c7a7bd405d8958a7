"""Looks tidy: a column that nobody reads."""

from typing import ClassVar

from tortoise import migrations

from tests.steps import AFTER_THE_OWN


class Migration(migrations.Migration):
    dependencies: ClassVar = AFTER_THE_OWN
    operations: ClassVar = [migrations.RemoveField("Entry", "merchant")]
