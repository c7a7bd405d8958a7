"""Ways into an account: verified addresses, mails and their links, passkeys, recovery codes, providers."""

from tortoise import fields, migrations

from aggregator.schema import CreateTable, Statements

_COLUMNS = [
    'ALTER TABLE "account" ADD COLUMN "verified_ms" BIGINT',
    'ALTER TABLE "device" ADD COLUMN "proven_ms" BIGINT NOT NULL DEFAULT 0',
]


class Migration(migrations.Migration):
    dependencies = [("karman", "0007_households")]

    operations = [
        Statements(
            sqlite=_COLUMNS,
            postgres=_COLUMNS,
            state=[
                migrations.AddField("Account", "verified_ms", fields.BigIntField(null=True)),
                migrations.AddField("Device", "proven_ms", fields.BigIntField(db_default=0)),
            ],
        ),
        CreateTable(
            name="SignUp",
            fields=[
                ("id", fields.UUIDField(primary_key=True)),
                ("email", fields.CharField(max_length=254)),
                ("email_key", fields.CharField(max_length=254, db_index=True)),
                ("password_hash", fields.TextField()),
                ("browser_hash", fields.CharField(max_length=64)),
                ("token_hash", fields.CharField(max_length=64, null=True, unique=True)),
                ("expires_ms", fields.BigIntField(db_index=True)),
            ],
            options={"table": "sign_up", "app": "karman"},
        ),
        CreateTable(
            name="MailToken",
            fields=[
                ("token_hash", fields.CharField(max_length=64, primary_key=True)),
                ("account_id", fields.UUIDField(db_index=True)),
                ("purpose", fields.CharField(max_length=16)),
                ("email_key", fields.CharField(max_length=254)),
                ("expires_ms", fields.BigIntField(db_index=True)),
            ],
            options={"table": "mail_token", "app": "karman"},
            references={"account_id": "account"},
        ),
        CreateTable(
            name="OutgoingMail",
            fields=[
                ("id", fields.UUIDField(primary_key=True)),
                ("kind", fields.CharField(max_length=16)),
                ("email", fields.CharField(max_length=254)),
                ("email_key", fields.CharField(max_length=254, db_index=True)),
                ("language", fields.CharField(max_length=8)),
                ("sign_up_id", fields.UUIDField(null=True)),
                ("created_ms", fields.BigIntField()),
                ("due_ms", fields.BigIntField(db_index=True)),
                ("attempts", fields.IntField()),
            ],
            options={"table": "mail", "app": "karman"},
        ),
        CreateTable(
            name="Challenge",
            fields=[
                ("id", fields.CharField(max_length=64, primary_key=True)),
                ("purpose", fields.CharField(max_length=16)),
                ("account_id", fields.UUIDField(null=True, db_index=True)),
                ("browser_hash", fields.CharField(max_length=64, null=True)),
                ("body", fields.TextField()),
                ("expires_ms", fields.BigIntField(db_index=True)),
            ],
            options={"table": "challenge", "app": "karman"},
            references={"account_id": "account"},
        ),
        CreateTable(
            name="Passkey",
            fields=[
                ("id", fields.UUIDField(primary_key=True)),
                ("account_id", fields.UUIDField(db_index=True)),
                ("credential_hash", fields.CharField(max_length=64, unique=True)),
                ("credential_id", fields.BinaryField()),
                ("public_key", fields.BinaryField()),
                ("sign_count", fields.BigIntField()),
                ("name", fields.CharField(max_length=80)),
                ("created_ms", fields.BigIntField()),
                ("used_ms", fields.BigIntField(null=True)),
            ],
            options={"table": "passkey", "app": "karman"},
            references={"account_id": "account"},
        ),
        CreateTable(
            name="RecoveryCode",
            fields=[
                ("code_hash", fields.CharField(max_length=64, primary_key=True)),
                ("account_id", fields.UUIDField(db_index=True)),
                ("created_ms", fields.BigIntField()),
            ],
            options={"table": "recovery_code", "app": "karman"},
            references={"account_id": "account"},
        ),
        CreateTable(
            name="Identity",
            fields=[
                ("id", fields.UUIDField(primary_key=True)),
                ("account_id", fields.UUIDField(db_index=True)),
                ("provider", fields.CharField(max_length=32)),
                ("issuer", fields.CharField(max_length=255)),
                ("subject", fields.CharField(max_length=255)),
                ("label", fields.CharField(max_length=254)),
                ("created_ms", fields.BigIntField()),
            ],
            options={"table": "identity", "app": "karman", "unique_together": (("issuer", "subject"),)},
            references={"account_id": "account"},
        ),
    ]
