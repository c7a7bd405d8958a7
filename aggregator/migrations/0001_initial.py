"""The first shape of the store."""

from tortoise import fields, migrations

from aggregator.schema import CreateTable


class Migration(migrations.Migration):
    initial = True

    operations = [
        CreateTable(
            name="StoreFact",
            fields=[
                ("name", fields.CharField(max_length=64, primary_key=True)),
                ("value", fields.TextField()),
            ],
            options={"table": "store_fact", "app": "karman"},
        ),
        CreateTable(
            name="Account",
            fields=[
                ("id", fields.UUIDField(primary_key=True)),
                ("email", fields.CharField(max_length=254)),
                ("email_key", fields.CharField(max_length=254, unique=True)),
                ("password_hash", fields.TextField(null=True)),
                ("created_ms", fields.BigIntField()),
            ],
            options={"table": "account", "app": "karman"},
        ),
        CreateTable(
            name="Device",
            fields=[
                ("id", fields.UUIDField(primary_key=True)),
                ("account_id", fields.UUIDField(db_index=True)),
                ("name", fields.CharField(max_length=80)),
                ("token_hash", fields.CharField(max_length=64, unique=True)),
                ("created_ms", fields.BigIntField()),
                ("seen_ms", fields.BigIntField()),
                ("expires_ms", fields.BigIntField()),
                ("revoked_ms", fields.BigIntField(null=True)),
            ],
            options={"table": "device", "app": "karman"},
            references={"account_id": "account"},
        ),
        CreateTable(
            name="Space",
            fields=[
                ("id", fields.UUIDField(primary_key=True)),
                ("kind", fields.CharField(max_length=16)),
                ("version", fields.BigIntField()),
                ("floor", fields.BigIntField()),
                ("created_ms", fields.BigIntField()),
            ],
            options={"table": "space", "app": "karman"},
        ),
        CreateTable(
            name="Member",
            fields=[
                ("space_id", fields.UUIDField(primary_key=True)),
                ("account_id", fields.UUIDField(db_index=True)),
                ("role", fields.CharField(max_length=16)),
            ],
            options={"table": "member", "app": "karman"},
            key=("space_id", "account_id"),
            references={"space_id": "space", "account_id": "account"},
        ),
        CreateTable(
            name="Entry",
            fields=[
                ("space_id", fields.UUIDField(primary_key=True)),
                ("key", fields.CharField(max_length=80)),
                ("version", fields.BigIntField()),
                ("schema", fields.SmallIntField()),
                ("box", fields.BinaryField(null=True)),
                ("merchant", fields.CharField(max_length=80, null=True)),
                ("expires_on", fields.CharField(max_length=10, null=True)),
            ],
            options={"table": "entry", "app": "karman", "indexes": (("space_id", "version"),)},
            key=("space_id", "key"),
            references={"space_id": "space"},
        ),
        CreateTable(
            name="Client",
            fields=[
                ("account_id", fields.UUIDField(primary_key=True)),
                ("id", fields.UUIDField()),
                ("last_id", fields.BigIntField()),
                ("failures", fields.SmallIntField()),
            ],
            options={"table": "client", "app": "karman"},
            key=("account_id", "id"),
            references={"account_id": "account"},
        ),
        CreateTable(
            name="Receipt",
            fields=[
                ("account_id", fields.UUIDField(primary_key=True)),
                ("client_id", fields.UUIDField()),
                ("id", fields.BigIntField()),
                ("body_hash", fields.BinaryField()),
                ("problem", fields.TextField(null=True)),
            ],
            options={"table": "receipt", "app": "karman"},
            key=("account_id", "client_id", "id"),
            references={"account_id": "account"},
        ),
        CreateTable(
            name="Picture",
            fields=[
                ("space_id", fields.UUIDField(primary_key=True)),
                ("id", fields.UUIDField()),
                ("upload_mark", fields.BinaryField()),
                ("size_bytes", fields.IntField()),
                ("created_ms", fields.BigIntField()),
            ],
            options={"table": "picture", "app": "karman"},
            key=("space_id", "id"),
            references={"space_id": "space"},
        ),
        CreateTable(
            name="CardUse",
            fields=[
                ("space_id", fields.UUIDField(primary_key=True)),
                ("card_id", fields.UUIDField()),
                ("use_id", fields.UUIDField()),
            ],
            options={"table": "card_use", "app": "karman"},
            key=("space_id", "card_id", "use_id"),
            references={"space_id": "space"},
        ),
    ]
