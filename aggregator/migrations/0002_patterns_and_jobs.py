"""What shops' numbers look like, which of that is withdrawn, and the leases of background work."""

from tortoise import fields, migrations

from aggregator.schema import CreateTable


class Migration(migrations.Migration):
    dependencies = [("karman", "0001_initial")]

    operations = [
        CreateTable(
            name="PatternRow",
            fields=[
                ("slug", fields.CharField(max_length=80, primary_key=True)),
                ("source", fields.CharField(max_length=8)),
                ("format", fields.CharField(max_length=32)),
                ("length", fields.IntField()),
                ("prefix", fields.CharField(max_length=6)),
                ("check_digit", fields.CharField(max_length=8, null=True)),
                ("share", fields.FloatField()),
                ("accounts", fields.IntField()),
            ],
            options={"table": "pattern", "app": "karman"},
            key=("slug", "source", "format", "length", "prefix"),
        ),
        CreateTable(
            name="WithdrawnPattern",
            fields=[
                ("slug", fields.CharField(max_length=80, primary_key=True)),
                ("format", fields.CharField(max_length=32)),
                ("length", fields.IntField()),
                ("prefix", fields.CharField(max_length=6)),
            ],
            options={"table": "withdrawn_pattern", "app": "karman"},
            key=("slug", "format", "length", "prefix"),
        ),
        CreateTable(
            name="JobState",
            fields=[
                ("name", fields.CharField(max_length=64, primary_key=True)),
                ("due_ms", fields.BigIntField()),
                ("leased_ms", fields.BigIntField()),
                ("holder", fields.CharField(max_length=32, null=True)),
                ("failures", fields.IntField()),
            ],
            options={"table": "job", "app": "karman"},
        ),
    ]
