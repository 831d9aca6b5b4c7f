# SPDX-License-Identifier: AGPL-3.0-or-later
"""`whistle poster`: writes a poster to print (docs/spec/offline.md)."""

import argparse
from pathlib import Path

from onion.state import hostname_file
from whistle import clock
from whistle.commands.errors import CommandError
from whistle.layout import Layout
from whistle.texts import choose_language, load_tool_texts
from whistle.tool.errors import ToolError
from whistle.tool.keylist import Pin, SerialMemory
from whistle.tool.poster import Poster, choose_onion
from whistle.tool.sharing import UTC_OFFSET
from whistle.tool.source import Trust, from_folder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of `whistle poster`."""
    parser.add_argument("--state", type=Path, default=Path("state"), help="state directory")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder to write into"
    )
    parser.add_argument("--onion", help="address to print (default: the one in use)")
    parser.add_argument("--lang", choices=("id", "en"), help="language of messages")


def run(args: argparse.Namespace) -> int:
    """Checks the address, writes pages and images."""
    texts = load_tool_texts(choose_language(args.lang))
    layout = Layout(args.state.absolute())
    try:
        instance = (layout.org / "instance.id").read_text("ascii").strip()
        trust = Trust(Pin.parse(instance, None), SerialMemory(None), clock.today(UTC_OFFSET))
        manifest = from_folder(layout.org, trust).manifest
        onion = choose_onion(args.onion, manifest, hostname_file(layout.tor / "hs-intake"))
        files = Poster.of(manifest, onion).files()
        args.out.mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            (args.out / name).write_bytes(data)
    except ToolError as error:
        raise CommandError(texts.t(error.key, **error.details)) from error
    except (OSError, ValueError) as error:
        raise CommandError(str(error)) from error
    print(texts.t("tool.poster_written", files=", ".join(str(args.out / name) for name in files)))
    return 0
