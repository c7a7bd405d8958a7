"""Forgets the spaces and leaves what stood in them."""

from typing import ClassVar

from tortoise import migrations

from aggregator.schema import Statements
from tests.steps import AFTER_THE_OWN


class Migration(migrations.Migration):
    dependencies: ClassVar = AFTER_THE_OWN
    operations: ClassVar = [Statements(sqlite=['DELETE FROM "space"'], postgres=['DELETE FROM "space"'])]
