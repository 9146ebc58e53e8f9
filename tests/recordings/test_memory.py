"""Four hours of talk cost a worker less than 20 MB, whatever the file's size."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

SECONDS = 4 * 3600
#: Two channels of 16 bits at 8 kHz: 460 MB.
SOUND_BYTES = SECONDS * 8000 * 4
MOST_BYTES = 20 * 1024**2

MEASURE = """
import json, resource, sys
import django
django.setup()
from django.core.files import File
from django.core.files.storage import FileSystemStorage
from recordings.download import fetched
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with fetched(sys.argv[1], allow_loopback=True) as found:
    storage = FileSystemStorage(location=sys.argv[2])
    name = storage.save("a.wav", File(found.file))
    size = storage.size(name)
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"grew": (after - before) * 1024, "size": size, "duration_s": found.audio.duration_s}))
"""


INTO_A_BUCKET = """
import io, json, resource, sys
import django
django.setup()
from django.core.files import File
from django.core.files.storage import storages
from recordings.download import fetched
storage = storages["recordings"]
# What the library itself costs is not the file's: it is there with the first small one.
storage.save("small.wav", File(io.BytesIO(bytes(1000))))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with fetched(sys.argv[1], allow_loopback=True) as found:
    name = storage.save("a.wav", File(found.file))
    size = storage.size(name)
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"grew": (after - before) * 1024, "size": size}))
"""


class FourHours(BaseHTTPRequestHandler):
    """A storage that makes its file as it sends it."""

    def do_GET(self) -> None:
        head = b"RIFF" + struct.pack("<I", SOUND_BYTES + 36) + b"WAVEfmt "
        head += struct.pack("<IHHIIHH", 16, 1, 2, 8000, 32000, 4, 16) + b"data" + struct.pack("<I", SOUND_BYTES)
        self.send_response(200)
        self.send_header("Content-Length", str(len(head) + SOUND_BYTES))
        self.end_headers()
        self.wfile.write(head)
        piece = bytes(1_000_000)
        for sent in range(0, SOUND_BYTES, len(piece)):
            self.wfile.write(piece[: SOUND_BYTES - sent])

    def log_message(self, format: str, *args: Any) -> None:
        pass


class Bucket(BaseHTTPRequestHandler):
    """What a bucket answers to an upload, whole or in parts; it counts what comes, and keeps none of it."""

    protocol_version = "HTTP/1.1"
    sizes: dict[str, int]

    def do_POST(self) -> None:
        self._taken()
        done = "<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>"
        begun = "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>"
        self._answer(begun if "uploads" in self.path else done)

    def do_PUT(self) -> None:
        key = self.path.partition("?")[0]
        self.sizes[key] = self.sizes.get(key, 0) + self._taken()
        self._answer("")

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(self.sizes[self.path.partition("?")[0]]))
        self.send_header("Last-Modified", "Thu, 26 Nov 2026 12:00:00 GMT")
        self.end_headers()

    def _taken(self) -> int:
        if self.headers.get("Expect") == "100-continue":
            self.send_response_only(100)
            self.end_headers()
        left = int(self.headers.get("Content-Length", 0))
        while left:
            left -= len(self.rfile.read(min(left, 1_000_000)))
        return int(self.headers.get("x-amz-decoded-content-length") or self.headers.get("Content-Length", 0))

    def _answer(self, body: str) -> None:
        self.send_response(200)
        self.send_header("ETag", '"e"')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def bucket() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Ours", (Bucket,), {"sizes": {}}))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join(20)


@pytest.fixture
def storage_of_telnyx() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), FourHours)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/a.wav"
    server.shutdown()
    server.server_close()
    thread.join(20)


def test_a_recording_of_four_hours_costs_less_than_20_mb(storage_of_telnyx: str, tmp_path: Any) -> None:
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, storage_of_telnyx, str(tmp_path)], capture_output=True, text=True, timeout=300
    )

    assert done.returncode == 0, done.stderr
    measured = json.loads(done.stdout.splitlines()[-1])
    assert (measured["size"], measured["duration_s"]) == (SOUND_BYTES + 44, SECONDS)
    assert measured["grew"] < MOST_BYTES
    (tmp_path / "a.wav").unlink()


def test_into_a_bucket_it_costs_no_more(storage_of_telnyx: str, bucket: str) -> None:
    env = {
        **os.environ,
        "RECORDINGS_STORAGE": "s3://audio/calls",
        "AWS_ENDPOINT_URL": bucket,
        "AWS_ACCESS_KEY_ID": "k",
        "AWS_SECRET_ACCESS_KEY": "s",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    command = [sys.executable, "-c", INTO_A_BUCKET, storage_of_telnyx]

    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=300)

    assert done.returncode == 0, done.stderr
    measured = json.loads(done.stdout.splitlines()[-1])
    assert measured["size"] == SOUND_BYTES + 44
    assert measured["grew"] < MOST_BYTES
