"""`python -m telephony.sandbox`: serve, or with `--prepare` only make the keys."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from telephony.sandbox.config import Config
from telephony.sandbox.keys import ensure_keys


def main(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    config = Config(data=options.data, host=options.host, port=options.port, media=not options.no_media)
    try:
        ensure_keys(config.folder)
    except ValueError as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return 2
    return 0 if options.prepare else _serve(config)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m telephony.sandbox", description="A pretend Telnyx for Curbe Voice."
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8002)
    parser.add_argument(
        "--data", type=Path, required=True, help="CURBE_DATA; the sandbox keeps its own in <data>/sandbox"
    )
    parser.add_argument(
        "--no-media", action="store_true", help="calls without sound: fifty at once cost next to nothing"
    )
    parser.add_argument("--prepare", action="store_true", help="only make the key pair, and exit")
    return parser


def _serve(config: Config) -> int:
    from aiohttp import web  # the preparation must stay light

    from telephony.sandbox.app import make_app
    from telephony.sandbox.world import World

    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)

    async def application() -> web.Application:
        return make_app(World(config))

    try:
        web.run_app(application(), host=config.host, port=config.port, print=None)
    except OSError as error:
        print(f"sandbox: cannot listen on {config.host}:{config.port}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
