# SPDX-License-Identifier: AGPL-3.0-or-later
"""`whistle verify`: do the published numbers follow from the public log, and is it the same log?

Needs no server and no network, unless it is told to fetch (docs/spec/verify.md).  Exit code 0:
nothing wrong found; 1: a fault, or it could not be checked; 2: wrong usage.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Final

from crypto.errors import CryptoError
from crypto.tlog.policy import Policy, parse_policy
from crypto.tlog.proof import parse_proof
from whistle.commands.errors import CommandError
from whistle.commands.verify_places import add_site_arguments, opened
from whistle.tool.errors import KeyListError
from whistle.tool.keylist import Pin
from whistle.verify import auditor, reporter
from whistle.verify.faults import FaultError, Verdict
from whistle.verify.folder import Release
from whistle.verify.offline_page import offline_page
from whistle.verify.proofs import check_proof, proof_of_entry
from whistle.verify.publiclog import policy_of
from whistle.verify.release import Trust, verify_release
from whistle.verify.sources import Source, open_source
from whistle.verify.speaking import Speaker, as_object

_HEX_DIGITS: Final = 64


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of `whistle verify`."""
    what = parser.add_subparsers(dest="what", required=True, metavar="WHAT")
    release = what.add_parser("release", help="a release: everything that can be checked")
    release.add_argument(
        "folder", type=Path, metavar="FOLDER", help="or .tar, .tgz, .zip; with --from its id"
    )
    release.add_argument("--from", dest="site", metavar="URL", help="fetch it: http://….onion")
    release.add_argument(
        "--earlier", type=Path, metavar="FOLDER", action="append", default=[], nargs="+",
        help="earlier releases you kept: was anything changed since?",
    )  # fmt: skip
    release.add_argument(
        "--seen", type=Path, metavar="FILE", action="append", default=[],
        help="a checkpoint of this log from elsewhere, a witness for instance",
    )  # fmt: skip
    release.add_argument(
        "--quick", action="store_true", help="do not try to work out the hidden numbers"
    )
    promise = what.add_parser("promise", help="reporters: is my report in the public log?")
    promise.add_argument("file", type=Path, metavar="FILE", help="the promise, as downloaded")
    promise.add_argument(
        "--proof", type=Path, metavar="FILE", help="if it was broken: write the proof here"
    )
    promise.add_argument(
        "--entry-proof", type=Path, metavar="FILE",
        help="if it was kept: write the entry's proof here (C2SP tlog-proof)",
    )  # fmt: skip
    notices = what.add_parser("notices", help="reporters: is what I was shown what is counted?")
    notices.add_argument("file", type=Path, metavar="FILE", help="the notices, as downloaded")
    proof = what.add_parser("proof", help="a .tlog-proof file: is that entry in the log?")
    proof.add_argument("file", type=Path, metavar="FILE")
    proof.add_argument("--entry", metavar="HEX", help="the entry it should be for, 120 digits")
    openings = what.add_parser("openings", help="auditors: what is behind the follow-ups?")
    openings.add_argument("file", type=Path, metavar="FILE", help="the openings the office showed")
    for each in (promise, notices, proof, openings):
        log = each.add_mutually_exclusive_group(required=True)
        log.add_argument(
            "--log", type=Path, metavar="FOLDER",
            help="a release, or log/ with the organisation's files; .tar, .tgz and .zip too",
        )  # fmt: skip
        log.add_argument("--from", dest="site", metavar="URL", help="fetch the whole log")
    page = what.add_parser("page", help="write the page that verifies without this program")
    page.add_argument("--out", type=Path, metavar="FILE", default=Path("verify.html"))
    for each in (release, promise, notices, proof, openings):
        _add_trust(each)
        add_site_arguments(each)
    for each in (release, promise, notices, proof, openings, page):
        each.add_argument("--lang", choices=("id", "en"), help="language (default: from LANG)")
        each.add_argument("--json", action="store_true", help="one JSON object on standard output")


def run(args: argparse.Namespace) -> int:
    """Checks what is asked for, says so, and returns the exit code."""
    speaker = Speaker.of(args.lang, as_json=args.json)
    table: dict[str, Callable[[argparse.Namespace, Speaker], int]] = {
        "release": _release,
        "promise": _promise,
        "notices": _notices,
        "proof": _proof,
        "openings": _openings,
        "page": _page,
    }
    with opened(args, speaker):
        return table[args.what](args, speaker)


def _release(args: argparse.Namespace, speaker: Speaker) -> int:
    trust = _trust(args, speaker)
    verdict = Verdict()
    try:
        release = Release.open(args.folder)
        kept = [each for group in args.earlier for each in group]
        earlier = [Release.open(each) for each in kept]
    except FaultError as error:
        verdict.judge("files", [error.found])
        return _show(speaker, verdict)
    result = verify_release(release, trust, earlier)
    speaker.release(result, is_pinned=trust.pin is not None)
    speaker.result(
        {
            **as_object(result.verdict, speaker.texts),
            "release": release.head.id,
            "sha256": release.sha256,
            "instance": release.head.instance_id.hex(),
            "pinned": trust.pin is not None,
        }
    )
    return 0 if result.verdict.is_good else 1


def _promise(args: argparse.Namespace, speaker: Speaker) -> int:
    verdict = Verdict()
    try:
        source = _source(args, speaker, verdict)
        with verdict.checking("promise"):
            data = reporter.read_promise(_read(args.file, speaker))
            result = reporter.check_promise(data, source.organisation.manifest, source.log)
    except FaultError:
        return _show(speaker, verdict)
    texts, promise = speaker.texts, result.promise
    until = texts.day(source.log.as_of)
    reporter.judge_included(verdict, result, _period(result, speaker))
    if result.answer == "included":
        speaker.say("promise.postdated" if result.late else "promise.kept")
    elif result.answer == "early":
        speaker.say("promise.early", day=texts.day(promise.latest), until=until)
    else:
        speaker.say("promise.broken", day=texts.day(promise.latest))
    speaker.say("promise.received", day=texts.day(promise.day))
    if result.answer == "dropped" and args.proof is not None:
        _write(args.proof, reporter.proof_of_dropping(data, result, source.log), speaker)
        speaker.say("promise.written", file=args.proof)
    if result.index is not None and args.entry_proof is not None:
        _write(args.entry_proof, proof_of_entry(source.log, result.index), speaker)
        speaker.say("promise.entry_written", file=args.entry_proof)
    speaker.checklist(verdict)
    speaker.result({**as_object(verdict, texts), "answer": result.answer, "index": result.index})
    return 0 if verdict.is_good and result.answer == "included" else 1


def _period(result: reporter.PromiseResult | None, speaker: Speaker) -> str:
    return "" if result is None or result.period is None else speaker.texts.day(result.period)


def _notices(args: argparse.Namespace, speaker: Speaker) -> int:
    verdict = Verdict()
    try:
        source = _source(args, speaker, verdict)
        with verdict.checking("notices"):
            data = _read(args.file, speaker)
            notices = reporter.read_notices(data)
    except FaultError:
        return _show(speaker, verdict)
    verdict.checks.pop()
    manifest, log = source.organisation.manifest, source.log
    promised = reporter.check_own_promise(data, manifest, log, verdict)
    reporter.judge_included(verdict, promised, _period(promised, speaker))
    verdict.judge("notices", reporter.check_notices(notices, log, promised), count=len(notices))
    waiting = reporter.waiting(notices, source.log)
    return _papers(speaker, verdict, "notices", waiting)


def _openings(args: argparse.Namespace, speaker: Speaker) -> int:
    verdict = Verdict()
    try:
        source = _source(args, speaker, verdict)
        found = auditor.check_openings(
            openings := auditor.read_openings(_read(args.file, speaker)), source.log
        )
    except FaultError as error:
        if error.found not in verdict.faults:
            verdict.judge("openings", [error.found])
        return _show(speaker, verdict)
    verdict.judge("openings", found, count=len(openings))
    return _papers(speaker, verdict, "openings", 0)


def _proof(args: argparse.Namespace, speaker: Speaker) -> int:
    verdict = Verdict()
    try:
        source = _source(args, speaker, verdict)
        with verdict.checking("proof") as facts:
            data = _read(args.file, speaker)
            entry = None if args.entry is None else bytes.fromhex(args.entry)
            policy = policy_of(source.organisation)
            accepted = check_proof(data, entry, policy, source.log)
            facts["index"] = parse_proof(data).index
            facts["count"] = len(accepted.witnesses)
    except ValueError as error:
        raise CommandError(speaker.t("cannot_read", file="--entry")) from error
    except FaultError:
        pass
    return _papers(speaker, verdict, "proof", 0)


def _page(args: argparse.Namespace, speaker: Speaker) -> int:
    data = offline_page()
    _write(args.out, data, speaker)
    speaker.say("papers.page_written", file=args.out, size=speaker.texts.number(len(data)))
    speaker.result({"v": 1, "file": str(args.out), "bytes": len(data)})
    return 0


def _papers(speaker: Speaker, verdict: Verdict, what: str, waiting: int) -> int:
    ending = "good" if verdict.is_good else "bad"
    if what == "notices" and verdict.is_good and verdict.is_partial:
        ending = "partly"
    speaker.say(f"papers.{what}_{ending}", **_count(verdict, what))
    if waiting:
        speaker.say("papers.waiting", count=waiting)
    speaker.checklist(verdict)
    speaker.result({**as_object(verdict, speaker.texts), "waiting": waiting})
    return 0 if verdict.is_good else 1


def _count(verdict: Verdict, what: str) -> dict[str, int]:
    return {"count": len(verdict.faults)} if what == "openings" and verdict.faults else {}


def _show(speaker: Speaker, verdict: Verdict) -> int:
    """A verdict that ended before there was anything to tell of."""
    speaker.verdict_line(verdict)
    speaker.checklist(verdict)
    speaker.result(as_object(verdict, speaker.texts))
    return 1


def _add_trust(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--instance", metavar="WORDS|HEX",
        help="whose it must be: the 12 check words of the poster in quotation marks, or the key",
    )  # fmt: skip
    parser.add_argument(
        "--policy", type=Path, metavar="FILE",
        help="your own demand on witnesses, beside the organisation's (C2SP tlog-policy)",
    )  # fmt: skip


def _trust(args: argparse.Namespace, speaker: Speaker) -> Trust:
    seen = tuple(_read(each, speaker) for each in getattr(args, "seen", []))
    attack = not getattr(args, "quick", True)
    return Trust(_pin(args.instance, speaker), _policy(args.policy, speaker), seen, attack)


def _pin(text: str | None, speaker: Speaker) -> Pin | None:
    if text is None:
        return None
    is_key = len(text.strip()) == _HEX_DIGITS and " " not in text.strip()
    try:
        return Pin.parse(text, None) if is_key else Pin.parse(None, text)
    except KeyListError as error:
        raise CommandError(speaker.t("instance_bad")) from error


def _policy(path: Path | None, speaker: Speaker) -> Policy | None:
    if path is None:
        return None
    try:
        return parse_policy(_read(path, speaker))
    except CryptoError as error:
        raise CommandError(speaker.t("policy_bad", file=path)) from error


def _source(args: argparse.Namespace, speaker: Speaker, verdict: Verdict) -> Source:
    try:
        return open_source(args.log, _trust(args, speaker), verdict)
    except FaultError as error:
        if error.found not in verdict.faults:
            verdict.judge("files", [error.found])
        raise


def _read(path: Path, speaker: Speaker) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CommandError(speaker.t("cannot_read", file=path)) from error


def _write(path: Path, data: bytes, speaker: Speaker) -> None:
    try:
        with path.open("xb") as file:
            file.write(data)
    except FileExistsError as error:
        raise CommandError(speaker.t("exists", file=path)) from error
    except OSError as error:
        raise CommandError(speaker.t("cannot_write", file=path)) from error
