# SPDX-License-Identifier: AGPL-3.0-or-later
"""`whistle federate`: several cities' releases in one table and one page (docs/spec/verify.md).

Each release is verified first; one fault, or unlike definitions, and nothing is written.
Exit code 0: written; 1: refused; 2: wrong usage.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from whistle.commands.errors import CommandError
from whistle.commands.verify_places import opened_folders
from whistle.i18n import LANGUAGES
from whistle.verify.faults import FaultError, Verdict
from whistle.verify.federation import City, as_csv, as_json, refusals
from whistle.verify.federation_page import PAGES, federation_page
from whistle.verify.folder import Release
from whistle.verify.release import Result, Trust, verify_release
from whistle.verify.speaking import Speaker, as_object


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of `whistle federate`."""
    parser.add_argument(
        "folders",
        type=Path,
        nargs="+",
        metavar="FOLDER",
        help="the releases, as folders or archives",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new folder")
    parser.add_argument("--lang", choices=("id", "en"), help="language (default: from LANG)")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")


def run(args: argparse.Namespace) -> int:
    """Verifies, compares, writes."""
    speaker = Speaker.of(args.lang, as_json=args.json)
    if args.out.exists():
        raise CommandError(speaker.t("exists", file=args.out))
    with opened_folders(args.folders, speaker) as folders:
        results = [_verified(folder) for folder in folders]
        return _compare(args, results, speaker)


def _compare(args: argparse.Namespace, results: Sequence[Result], speaker: Speaker) -> int:
    verdict = Verdict()
    definitions = "" if results[0].release is None else results[0].release.head.definitions
    verdict.judge("cities", refusals(results), count=len(results), definitions=definitions)
    if verdict.is_good:
        _write(args.out, [City(each) for each in results], definitions, speaker)
        speaker.say("federate.good", count=len(results), folder=args.out)
    else:
        speaker.say("federate.refused")
    speaker.checklist(verdict)
    speaker.result(as_object(verdict, speaker.texts))
    return 0 if verdict.is_good else 1


def _verified(folder: Path) -> Result:
    try:
        return verify_release(Release.open(folder), Trust())
    except FaultError as error:
        verdict = Verdict()
        verdict.judge("files", [error.found])
        return Result(verdict)


def _write(out: Path, cities: Sequence[City], definitions: str, speaker: Speaker) -> None:
    pages = {PAGES[lang]: federation_page(cities, definitions, lang) for lang in LANGUAGES}
    files = {
        **pages,
        "federation.csv": as_csv(cities),
        "federation.json": as_json(cities, definitions),
    }
    try:
        out.mkdir(parents=True)
        for name, data in files.items():
            (out / name).write_bytes(data)
    except OSError as error:
        raise CommandError(speaker.t("cannot_write", file=out)) from error
