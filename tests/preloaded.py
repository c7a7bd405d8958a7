"""What the process loads of which commands are forks (`tests/launcher.py`)."""

import tests.launcher  # noqa: F401 -- what a fork becomes is there
from aggregator.blobs import S3Address, s3_client
from aggregator.merchants.directory import Directory

Directory.read()
s3_client(S3Address.parse("s3://key:secret@localhost:1/bucket"), 1).close()
