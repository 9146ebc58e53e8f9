"""The sandbox's own Ed25519 pair: made at the first run, kept in `<data>/sandbox/`. Must stay a light import."""

from __future__ import annotations

import base64
import os
from pathlib import Path

from nacl.signing import SigningKey


def ensure_keys(folder: Path) -> SigningKey:
    """Return the signing key, after making the pair if it is not there yet.

    Writes `public_key` (base64 of 32 bytes: TELNYX_PUBLIC_KEY) and `private_key` (base64 seed, mode 0600). A damaged
    private key raises ValueError that names the file: replacing it in silence would break every signature.
    """
    folder.mkdir(parents=True, exist_ok=True)
    private_file = folder / "private_key"
    if private_file.exists():
        key = _read(private_file)
    else:
        key = SigningKey.generate()
        _write(private_file, base64.b64encode(bytes(key)).decode(), mode=0o600)
    _write(folder / "public_key", public_key_text(key), mode=0o644)
    return key


def public_key_text(key: SigningKey) -> str:
    return base64.b64encode(bytes(key.verify_key)).decode()


def _read(private_file: Path) -> SigningKey:
    try:
        return SigningKey(base64.b64decode(private_file.read_text().strip(), validate=True))
    except Exception as error:
        raise ValueError(f"{private_file} does not hold a base64 Ed25519 seed; delete it to get a new pair") from error


def _write(path: Path, text: str, *, mode: int) -> None:
    """Write through a temporary name, so that a reader sees the old text or the new one, never half of it."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(text + "\n")
    os.replace(temporary, path)
