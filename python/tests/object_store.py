"""An S3 store on this machine, and what reaches it."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

# No text that the package or an engine writes may hold one of these.
SECRETS = {
    "AWS_ACCESS_KEY_ID": "AKIACANARYKEYID00000",
    "AWS_SECRET_ACCESS_KEY": "canary-secret-access-key-000000000000000",
    "AWS_SESSION_TOKEN": "canary-session-token-00000000",
}


class Bucket:
    """A bucket of a store whose requests are signed with the credentials of the environment."""

    def __init__(self, client: Any, name: str, address: str) -> None:
        self._client, self.name = client, name
        self.variables = {
            "AWS_ENDPOINT_URL": address,
            "AWS_ALLOW_HTTP": "true",
            "AWS_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            **SECRETS,
        }
        client.create_bucket(Bucket=name)

    def url(self, key: str = "") -> str:
        return f"s3://{self.name}/{key}"

    def put(self, key: str, body: bytes, **options: str) -> None:
        self._client.put_object(Bucket=self.name, Key=key, Body=body, **options)

    def put_files(self, folder: Path, prefix: str) -> str:
        """Copies the files of a folder, and returns the URL of the copy."""
        for path in folder.iterdir():
            self.put(f"{prefix}/{path.name}", path.read_bytes())
        return self.url(f"{prefix}/")


def buckets() -> Iterator[Bucket]:
    """A bucket of a server that ends with the tests."""
    if "CI" not in os.environ:
        pytest.importorskip("moto.server", reason="moto[server] is not installed")
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    client = boto3.client(
        "s3",
        endpoint_url=address,
        region_name="us-east-1",
        aws_access_key_id="owner",
        aws_secret_access_key="owner",
    )
    yield Bucket(client, "exports", address)
    server.stop()


def holds_a_secret(folder: Path) -> list[Path]:
    """The files below a folder that hold a credential."""
    secrets = [secret.encode() for secret in SECRETS.values()]
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path for path in files if any(secret in path.read_bytes() for secret in secrets)]
