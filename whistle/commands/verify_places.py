# SPDX-License-Identifier: AGPL-3.0-or-later
"""Where `whistle verify` reads from: a folder, an archive, or a site over Tor.

Invariants
* From a site only whole archives are fetched, the same for everybody: nobody learns which entry is
  looked for.
* What is unpacked or fetched lies in a private folder that is removed at the end.
"""

import argparse
import re
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from whistle.commands.errors import CommandError
from whistle.verify.archive import ArchiveError, unpack
from whistle.verify.speaking import Speaker

LOG: Final = "/log.tar"
_RELEASE: Final = re.compile(r"[0-9]{4}-[a-z0-9]{1,16}")


def add_site_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags for `--from`."""
    parser.add_argument("--proxy", metavar="URL", help="with --from, Tor: socks5://127.0.0.1:9050")


@contextmanager
def opened(args: argparse.Namespace, speaker: Speaker) -> Iterator[None]:
    """Put folders where the arguments name archives or a site, for the length of a block.

    Raises CommandError.
    """
    with ExitStack() as stack:
        places = _Places(speaker, stack)
        if args.what == "release":
            args.folder = places.release(args)
            args.earlier = [[places.folder(each) for each in group] for group in args.earlier]
        elif args.what != "page":
            args.log = places.log(args)
        yield


@contextmanager
def opened_folders(folders: list[Path], speaker: Speaker) -> Iterator[list[Path]]:
    """The same for a list of releases."""
    with ExitStack() as stack:
        places = _Places(speaker, stack)
        yield [places.folder(each) for each in folders]


@dataclass(frozen=True)
class _Places:
    speaker: Speaker
    stack: ExitStack

    def release(self, args: argparse.Namespace) -> Path:
        if args.site is None:
            return self.folder(args.folder)
        name = str(args.folder)
        if _RELEASE.fullmatch(name) is None:
            raise CommandError(self.speaker.t("from_release", file=name))
        return self._fetched(args, f"/releases/{name}.tar")

    def log(self, args: argparse.Namespace) -> Path:
        return self.folder(args.log) if args.site is None else self._fetched(args, LOG)

    def folder(self, path: Path) -> Path:
        if path.is_dir():
            return path
        if not path.is_file():
            raise CommandError(self.speaker.t("no_folder", file=path))
        try:
            return unpack(path, self._private())
        except ArchiveError as error:
            why = self.speaker.t(f"archive.{error.why}")
            raise CommandError(self.speaker.t("archive_bad", file=path, why=why)) from error

    def _fetched(self, args: argparse.Namespace, path: str) -> Path:
        from whistle.commands.verify_fetch import fetch  # noqa: PLC0415 - no network unless asked

        data = fetch(args.site, args.proxy, path, self.speaker.texts.lang)
        target = self._private() / path.rpartition("/")[2]
        target.write_bytes(data)
        return self.folder(target)

    def _private(self) -> Path:
        return Path(self.stack.enter_context(tempfile.TemporaryDirectory(prefix="whistle-")))
