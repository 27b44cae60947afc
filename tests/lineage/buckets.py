"""A server that speaks S3, in this process, with a bucket for each test."""

from __future__ import annotations

import contextlib
import os
import uuid
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

KEYS = {
    "AWS_ACCESS_KEY_ID": "expunge",
    "AWS_SECRET_ACCESS_KEY": "expunge",
    "AWS_DEFAULT_REGION": "us-east-1",
}


@contextlib.contextmanager
def s3_server() -> Iterator[str]:
    """Yield the address of a server without buckets, and let S3 be found there."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    before = {name: os.environ.get(name) for name in (*KEYS, "AWS_ENDPOINT_URL_S3")}
    os.environ.update(KEYS, AWS_ENDPOINT_URL_S3=url)
    try:
        yield url
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
        server.stop()


def client(url: str) -> Any:  # noqa: ANN401  (botocore makes its classes while it runs)
    """Return a client of its own, which no code of the product has touched."""
    import boto3

    named = {"aws_access_key_id": "expunge", "aws_secret_access_key": "expunge"}
    return boto3.client("s3", endpoint_url=url, region_name="us-east-1", **named)


def new_bucket(url: str) -> str:
    """Make a bucket; return its name."""
    name = f"expunge-{uuid.uuid4().hex[:12]}"
    client(url).create_bucket(Bucket=name)
    return name
