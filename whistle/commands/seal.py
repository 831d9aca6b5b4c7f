# SPDX-License-Identifier: AGPL-3.0-or-later
"""`whistle seal`: seals a report on the reporter's own device (docs/spec/offline.md).

Nothing is stored but the bundle, and, only if asked for, the serial of the key list. The receipt
goes to the terminal and nowhere else.
"""

import argparse
import asyncio
import sys
from pathlib import Path

from crypto.rng import system_rng
from whistle import clock
from whistle.commands.errors import CommandError
from whistle.hardening import harden_process
from whistle.i18n import LANGUAGES
from whistle.tool import sending
from whistle.tool.answers import Answers, Interview, check, read_answers_file, read_flags
from whistle.tool.errors import NetworkError, RefusedBySiteError, ToolError
from whistle.tool.keylist import FILES, KeyList
from whistle.tool.network import Address, Site, connected
from whistle.tool.sealing import Sealed, sealed_report, write_bundle
from whistle.tool.sharing import UTC_OFFSET, Voice, add_trust_arguments, ask, trust_of
from whistle.tool.source import Trust, from_folder, from_site, require_current

NOT_THERE = frozenset({404, 405})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of `whistle seal`."""
    parser.add_argument(
        "files", nargs="*", type=Path, metavar="FILE", help="files to attach, as they are"
    )
    parser.add_argument(
        "--manifest", required=True, metavar="DIR|URL",
        help="where the organisation's key list is: a folder, or the site (http://….onion)",
    )  # fmt: skip
    parser.add_argument(
        "--answers", metavar="FILE", help="answers as a JSON object; “-” is standard input"
    )
    parser.add_argument(
        "--answer", action="append", default=[], metavar="NAME=VALUE",
        help="one answer; other programs on this computer can see it, so prefer --answers",
    )  # fmt: skip
    parser.add_argument(
        "--out", type=Path, default=Path("bundle.whb"), metavar="FILE", help="bundle to write"
    )
    parser.add_argument("--send", metavar="URL", help="also deliver it to this site")
    parser.add_argument("--proxy", metavar="URL", help="Tor: socks5://127.0.0.1:9150")
    parser.add_argument("--min-serial", type=int, default=0, metavar="N",
                        help="refuse a key list with a lower serial")  # fmt: skip
    add_trust_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Seals, shows the receipt, delivers if asked to."""
    harden_process()
    voice = Voice.of(args)
    try:
        return asyncio.run(_run(args, voice))
    except ToolError as error:
        raise CommandError(voice.texts.t(error.key, **error.details)) from error


async def _run(args: argparse.Namespace, voice: Voice) -> int:
    trust = trust_of(args, voice, clock.today(UTC_OFFSET))
    trust = Trust(trust.pin, trust.memory, trust.today, args.min_serial)
    target = None if args.send is None else Address.parse(args.send, args.proxy)
    keys = await _keys(args, trust)
    voice.describe(keys)
    answers, files = _answers(args, voice, keys)
    if files:
        voice.say("metadata")

    def progress(name: str, size: int) -> None:
        voice.say("sealing_file", name=name, size=voice.texts.number(size))

    folder = args.out.absolute().parent
    lang = voice.texts.lang
    with sealed_report(answers, files, keys, lang, folder, system_rng, progress) as sealed:
        size = write_bundle(sealed, args.out)
        people = {person.id: person.name for person in keys.manifest.people}
        names = ", ".join(people[each] for each in sealed.head.recipients)
        voice.say("sealed_to", people=names)
        voice.say("written", file=args.out, size=voice.texts.number(size))
        delivered = (
            None if target is None else await _deliver(args, voice, target, sealed, keys, trust)
        )
        _show_receipt(voice, sealed, keys, sent=delivered is not None)
        voice.result(_result(args, sealed, keys, size, delivered))
    return 1 if target is not None and delivered is None else 0


async def _keys(args: argparse.Namespace, trust: Trust) -> KeyList:
    if not args.manifest.startswith("http://"):
        return from_folder(Path(args.manifest), trust)
    async with connected(Address.parse(args.manifest, args.proxy), system_rng) as site:
        return await from_site(site, trust)


def _answers(args: argparse.Namespace, voice: Voice, keys: KeyList) -> tuple[Answers, list[Path]]:
    files = list(args.files)
    texts = {} if args.answers is None else read_answers_file(args.answers)
    texts.update(read_flags(args.answer))
    if not texts and sys.stdin.isatty():
        texts = Interview(voice.texts, keys.catalogue, ask, voice.line).run()
        while typed := ask(voice.texts.t("tool.ask_files") + "\n> ").strip():
            files.append(Path(typed))
    return check(texts, keys.catalogue, voice.texts), files


async def _deliver(
    args: argparse.Namespace,
    voice: Voice,
    target: Address,
    sealed: Sealed,
    keys: KeyList,
    trust: Trust,
) -> sending.Delivered | None:
    def progress(done: int, total: int) -> None:
        voice.say("sending", done=voice.texts.number(done), total=voice.texts.number(total))

    try:
        async with connected(target, system_rng) as site:
            live = {name: await site.get(f"/{name}") for name in FILES}
            require_current(keys, live, trust)
            delivered = await _send(site, voice, sealed, keys, progress)
    except ToolError as error:
        voice.line(voice.texts.t(error.key, **error.details))
        voice.say("not_sent", file=args.out)
        return None
    voice.say("sent", day=voice.texts.day(delivered.day))
    return delivered


async def _send(
    site: Site, voice: Voice, sealed: Sealed, keys: KeyList, progress: sending.Progress
) -> sending.Delivered:
    """Over the client interface; as a file where a site has none. Raises: NetworkError."""
    try:
        return await sending.send(site, sealed, keys, system_rng, progress)
    except RefusedBySiteError as error:
        if error.status not in NOT_THERE:
            raise
    except NetworkError:
        raise
    return await sending.send_bundle(site, sealed, keys, voice.texts.lang)


def _show_receipt(voice: Voice, sealed: Sealed, keys: KeyList, *, sent: bool) -> None:
    if not sent and keys.manifest.onion:
        voice.say("upload_hint", onion=keys.manifest.onion)
    voice.line()
    voice.say("code_heading")
    for lang in (voice.texts.lang, *(each for each in LANGUAGES if each != voice.texts.lang)):
        language = voice.texts.t(f"tool.language_{lang}")
        voice.say("code_in", language=language, words=" ".join(sealed.receipt.words(lang)))
    if not sent:
        voice.say("code_after_sending")
    voice.line()
    for number in range(1, 5):
        voice.say(f"keep_{number}")


def _result(
    args: argparse.Namespace,
    sealed: Sealed,
    keys: KeyList,
    size: int,
    delivered: sending.Delivered | None,
) -> dict[str, object]:
    return {
        "bundle": str(args.out),
        "size": size,
        "receipt": {lang: " ".join(sealed.receipt.words(lang)) for lang in LANGUAGES},
        "recipients": list(sealed.head.recipients),
        "serial": keys.manifest.serial,
        "sent": delivered is not None,
        "promise": None if delivered is None else delivered.promise,
        "day": None if delivered is None else delivered.day.isoformat(),
    }
