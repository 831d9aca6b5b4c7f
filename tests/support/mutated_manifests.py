# SPDX-License-Identifier: AGPL-3.0-or-later
"""Manifests and recipients, whole and damaged: by chance, and by the holder of the root key."""

import copy
import json
import random
from collections.abc import Callable, Iterator
from typing import Any

from crypto import bech32
from crypto.domains import Domain
from crypto.encoding import canonical_json
from crypto.signing import public_from_seed, sign
from crypto.xwing import RECIPIENT_PREFIX, recipient_from_seed
from tests.support.mutated_sealed import Case, b64
from tests.support.mutated_signatures import odd_signatures
from tests.support.mutations import altered_json, damaged
from tests.support.vectors import own_vectors, seed

ROOT = bytes.fromhex(own_vectors()["root"]["seed"])
TODAY = "2026-11-21"
CHARSET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


def _text(value: Any) -> bytes:
    """Canonical JSON of any value, permitted or not."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode("utf-8", "surrogatepass")


def manifest(data: bytes, **other: Any) -> Case:
    """Return the question whether this manifest, signed by the root key, is good today."""
    return {
        "kind": "manifest", "data": b64(data), "today": TODAY, "least": 0,
        "signature": b64(sign(ROOT, Domain.MANIFEST, data)),
        "root": b64(public_from_seed(ROOT)), **other,
    }  # fmt: skip


def _base() -> dict[str, Any]:
    value: dict[str, Any] = json.loads(own_vectors()["manifest"]["text"])
    value["former"] = [{"id": "mantan", "desk": "ab" * 32, "until_serial": 3}]
    value["former_services"] = [{"id": "cases", "key": "cd" * 32, "until_serial": 6}]
    value["onion"] = "a" * 56 + ".onion"
    return value


def _edits() -> Iterator[Callable[[dict[str, Any]], Any]]:
    """Yield changes by somebody who may sign."""
    for key in _base():
        yield lambda m, key=key: m.pop(key)
    for key, values in _VALUES.items():
        for value in values:
            yield lambda m, key=key, value=value: m.update({key: copy.deepcopy(value)})
    yield lambda m: m["people"][1].update(id=m["people"][0]["id"])
    yield lambda m: m["people"][1].update(recipient=m["people"][0]["recipient"])
    yield lambda m: m["people"][1].update(desk=m["people"][0]["desk"])
    yield lambda m: m["people"][1].update(desk=m["services"]["cases"])
    yield lambda m: m["former"][0].update(desk=m["people"][0]["desk"])
    yield lambda m: m["former"][0].update(until_serial=7)
    yield lambda m: m["former"][0].update(extra=1)
    yield lambda m: m["former_services"].append(m["former_services"][0])
    yield lambda m: m["former_services"][0].update(key=m["services"]["intake"])
    yield lambda m: m.update(services={**m["services"], "x": m["services"]["cases"]})
    yield lambda m: [each.update(unit="satu") for each in m["people"]]
    yield lambda m: [each.update(roles=["auditor"]) for each in m["people"]]
    yield lambda m: [each.update(roles=[]) for each in m["people"][1:]]
    yield lambda m: m["people"].pop()
    yield lambda m: m.update(people=m["people"][:1])
    yield lambda m: m["people"].reverse()
    yield lambda m: m["people"].extend(_many(14))
    yield lambda m: m["people"].extend(_many(13))
    yield lambda m: m["people"].extend(_many(20, "auditor"))
    yield lambda m: m.update(former=[_gone(n) for n in range(400)])
    yield lambda m: m.update(former=[_gone(n) for n in range(401)])
    yield lambda m: m.update(files={f"f{n}": "00" * 32 for n in range(100)})
    yield lambda m: m.update(files={f"f{n}": "00" * 32 for n in range(101)})
    yield lambda m: m.update(x="a" * 524288)
    yield lambda m: m["people"][0].update(roles=["investigator"] * 8)
    yield lambda m: m["people"][0].update(roles=["investigator"] * 9)
    yield lambda m: m["people"][0].update(recipient=m["people"][0]["recipient"].upper())
    yield lambda m: m["people"][0].update(extra={"a": [1]})
    yield lambda m: m.update({"z\U0001f600": 1, "z\uffee": 2, "": 3, "__proto__": 4, "7": 5})


def _nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


_VALUES: dict[str, tuple[Any, ...]] = {
    "serial": (0, 6, 8, -1, 2**53 - 1, 2**53, True, "7", None),
    "v": (0, 2, True, "1"),
    "not_before": ("2026-11-21", "2026-11-22", "2026-13-01", "2026-1-1", "20260101", "2027-01-02"),
    "not_after": ("2026-11-21", "2026-11-20", "2025-12-31", "2026-02-29", "2026-12-31T00:00", None),
    "demo": (False, 0, "true", None),
    "onion": (None, "a" * 56, "A" * 56 + ".onion", "a" * 56 + ".onion/", "1" * 56 + ".onion", 1),
    "name": ({}, {"id": "x"}, {"id": "x", "en": "é" * 200}, {"id": "x", "en": "é" * 201}, [], None),
    "services": ({}, {"intake": "ab"}, {"Intake": "ab" * 32}, {"intake": "AB" * 32}, [], None),
    "files": ({}, {"../x": "ab" * 32}, {"a.b_c": "ab" * 32}, {"x": "ab" * 31}, None),
    "former": ([], None, {}, [1], [{}]),
    "former_services": ([], None, "x", [None]),
    "people": ([], {}, None, [1], [None], ["x"]),
    "x": (_nested(15), _nested(16), _nested(17), _nested(40), "\ud800", "\u2028\x7f\x00\x1f\"\\/"),
}  # fmt: skip


def _many(count: int, role: str = "investigator") -> list[dict[str, Any]]:
    return [
        {
            "id": f"lain-{n}", "name": "x", "roles": [role], "unit": f"unit-{n}",
            "recipient": recipient_from_seed(seed(f"many/{n}")).to_age(),
            "desk": public_from_seed(seed(f"many desk/{n}")).hex(),
        }
        for n in range(count)
    ]  # fmt: skip


def _gone(number: int) -> dict[str, Any]:
    return {"id": "mantan", "desk": seed(f"gone/{number}").hex(), "until_serial": 1}


def _spelt(data: bytes) -> Iterator[bytes]:
    """Yield the same manifest written in other ways, and what is no JSON."""
    yield b" " + data
    yield data + b"\n"
    yield b"\xef\xbb\xbf" + data
    yield data.decode().encode("utf-16")
    yield json.dumps(json.loads(data), indent=1).encode()
    yield json.dumps(json.loads(data), ensure_ascii=False, separators=(",", ":")).encode()
    for old, new in (
        (b'"serial":7', b'"serial":7,"serial":7'), (b'"serial":7', b'"serial":6,"serial":7'),
        (b'"serial":7', b'"serial":7.0'), (b'"serial":7', b'"serial":7e0'),
        (b'"serial":7', b'"serial":07'), (b'"serial":7', b'"serial":-0'),
        (b'"serial":7', b'"serial": 7'), (b'"serial":7', b'"serial":+7'),
        (b'"serial":7', b'"serial":NaN'), (b'"serial":7', b'"serial":Infinity'),
        (b'"serial":7', b'"serial":0x7'), (b'"serial":7', b'"serial":7,'),
        (b'"demo":true', b'"demo":True'), (b'"demo":true', b'"demo":true,"demo":false'),
        (b'"v":1', b'"v":1,"w":"\\ud800"'), (b'"v":1', b'"v":1,"w":"\\u0041"'),
        (b'"v":1', b'"v":1,"w":"\\/"'), (b'"v":1', b'"v":1,"w":"\\u000A"'),
        (b'"v":1', b'"v":1,"w":"\\n"'), (b'"v":1', b'"v":1,"w":"\n"'),
        (b'"v":1', b'"v":1,"w":"\xff"'), (b'"v":1', b'"v":1,"w":"\xed\xa0\x80"'),
        (b'"v":1', b'"v":1,"w":9007199254740993'), (b'"v":1', b'"v":1,"w":1e400'),
        (b'"v":1', b'"u":1,"v":1'), (b'"v":1', b'"v":1,"u":1'), (b'"v":1', b'"v":1,"w":1.5'),
        (b'"v":1', b'"v":1,"w":"\xc0\x80"'), (b'"v":1', b'/**/"v":1'), (b"}", b"},"),
    ):  # fmt: skip
        yield data.replace(old, new, 1)
    yield b"[" + data + b"]"
    yield from (b"", b"null", b"[]", b"{}", b'""', b"{" * 4000, b"[" * 100_000)


def _signatures(data: bytes) -> Iterator[Case]:
    """Yield a whole manifest with other signatures and root keys."""
    whole, signature = manifest(data), sign(ROOT, Domain.MANIFEST, data)
    domains = (Domain.PROMISE, Domain.SITE, Domain.BUNDLE, Domain.FRAME_SIGNATURE)
    others = [sign(ROOT, domain, data) for domain in domains]
    others += [signature[:cut] for cut in (0, 1, 32, 63)] + [signature + b"\0"]
    yield from ({**whole, "signature": b64(other)} for other in others)
    stranger = seed("another root")
    yield from ({**whole, "root": b64(key)} for key in (stranger, public_from_seed(stranger)))
    named = Domain.MANIFEST.encode() + b"\0" + data
    for key, odd in odd_signatures(ROOT, lambda _: named).values():
        yield {**whole, "root": b64(key), "signature": b64(odd)}


def manifests(chance: random.Random) -> Iterator[Case]:
    """Yield manifests."""
    base, data = _base(), canonical_json(_base())
    whole, signature = manifest(data), sign(ROOT, Domain.MANIFEST, data)
    yield from (whole, manifest(own_vectors()["manifest"]["text"].encode()))
    days = ("2025-12-31", "2026-01-01", "2027-01-01", "2027-01-02")
    yield from ({**whole, "today": day} for day in days)
    yield from ({**whole, "least": least} for least in (6, 7, 8, 1000))
    yield from _signatures(data)
    yield from map(manifest, _spelt(data))
    for edit in _edits():
        changed = copy.deepcopy(base)
        edit(changed)
        yield manifest(_text(changed))
    for turn in range(150):
        if turn % 6 == 0:
            yield {**whole, "signature": b64(damaged(signature, chance))}
            yield {**whole, "data": b64(damaged(data, chance))}
        if turn % 3 == 0:
            yield manifest(damaged(data, chance))
        yield manifest(_text(altered_json(base, chance)))


# --- recipients ---------------------------------------------------------------------------------


def checksum(prefix: str, symbols: list[int], constant: int = 1) -> str:
    """Return the six symbols that end a bech32 text (BIP 173); bech32m has another constant."""
    values = [*(ord(c) >> 5 for c in prefix), 0, *(ord(c) & 31 for c in prefix), *symbols]
    check = 1
    for value in [*values, 0, 0, 0, 0, 0, 0]:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, each in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= each if top >> bit & 1 else 0
    return "".join(CHARSET[(check ^ constant) >> 5 * (5 - place) & 31] for place in range(6))


def _keys(raw: bytes) -> Iterator[bytes]:
    yield from (raw[:-1], raw + b"\0", raw[:32], raw + raw, raw[:-32] + bytes(32), bytes(1216))
    for at in (0, 3, 768, 1149):
        for low, high in ((3328, 3328), (3329, 0), (0, 3329), (4095, 4095), (0, 4095)):
            pair = (low | high << 12).to_bytes(3, "little")
            yield raw[:at] + pair + raw[at + 3 :]


def recipients(chance: random.Random) -> Iterator[Case]:
    """Yield recipients in age's text form."""
    raw = recipient_from_seed(seed("recipient")).raw
    text = bech32.encode(RECIPIENT_PREFIX, raw)
    body, check = text[7:-6], text[-6:]
    symbols = [CHARSET.index(each) for each in body]
    texts = [
        text, text.upper(), text.capitalize(), text[:-1] + text[-1].upper(), text + " ", " " + text,
        text + "\n", text[:-6], text[:6] + text[7:], "age1" + text[7:], "age1PQ1" + text[7:],
        text.replace("1", "l", 1), body, "", "age1pq1", "age1pq1" + check, "ſ" + text[1:],
        text[:100] + "1" + text[100:], text[:100] + "K" + text[101:], text[:-7] + "b" + check,
        text[:100] + "ı" + text[101:], text[:-6] + checksum("age1pq", symbols, 0x2BC830A3),
        "age1pq1" + body + checksum("age1pq", symbols, 0),
        "age1px1" + body + checksum("age1px", symbols),
        "age1pq1q" + body + checksum("age1pq", [0, *symbols]),
        "age1pq1" + body + "q" + checksum("age1pq", [*symbols, 0]),
    ]  # fmt: skip
    for low in (1, 2, 3):
        ends = [*symbols[:-1], symbols[-1] | low]
        texts.append("age1pq1" + "".join(CHARSET[each] for each in ends) + checksum("age1pq", ends))
    texts += [bech32.encode(RECIPIENT_PREFIX, each) for each in _keys(raw)]
    for _ in range(60):
        texts.append(damaged(text.encode(), chance).decode("latin-1"))
    for _ in range(25):
        at = chance.randrange(7, len(text))
        texts.append(text[:at] + chance.choice(CHARSET) + text[at + 1 :])
    yield from ({"kind": "recipient", "text": each} for each in texts)
