# SPDX-License-Identifier: AGPL-3.0-or-later
"""The signed list of a site's files: one form, one signer, no way back."""

import pytest

from crypto.domains import Domain
from crypto.encoding import canonical_json
from crypto.errors import AuthenticationError, CryptoError, MalformedError
from crypto.signing import public_from_seed, sign
from whistle.sitefiles import SiteFile, list_files, parse_list, verify_list

SEED = bytes(range(32))
ROOT = public_from_seed(SEED)
SERVED = {"/style-0123456789abcdef.css": b"p{}", "/en/offline.html": b"<p>", "/keys.png": b""}
LISTED = list_files(SERVED, 3)


def test_round_trip_and_signature() -> None:
    data = LISTED.encode()
    assert [file.path for file in LISTED.files] == sorted(SERVED)
    assert verify_list(data, sign(SEED, Domain.SITE, data), ROOT, 3) == LISTED


def test_refusals() -> None:
    data = LISTED.encode()
    signature = sign(SEED, Domain.SITE, data)
    with pytest.raises(AuthenticationError):
        verify_list(data, signature, bytes(32))
    with pytest.raises(AuthenticationError):
        verify_list(data, sign(SEED, Domain.MANIFEST, data), ROOT)
    with pytest.raises(AuthenticationError):
        verify_list(data[:-1] + b" }", signature, ROOT)
    with pytest.raises(MalformedError):
        verify_list(data, signature, ROOT, 4)


def test_verdicts() -> None:
    (file,) = [each for each in LISTED.files if each.path == "/en/offline.html"]
    assert file.judge(b"<p>") == "same"
    assert file.judge(b"<q>") == "differs"
    assert file.judge(b"<p> ") == "differs"
    assert file.judge(None) == "missing"


def entry(path: str = "/a.js", sha256: str = "0" * 64, size: object = 1) -> dict[str, object]:
    return {"path": path, "sha256": sha256, "size": size}


@pytest.mark.parametrize(
    "files",
    [
        [entry("a.js")],
        [entry("/../a.js")],
        [entry("//evil/a.js")],
        [entry("/a.js?x")],
        [entry("http://evil/a.js")],
        [entry("/")],
        [entry(sha256="0")],
        [entry(size=-1)],
        [entry(size=2**40)],
        [entry(size=True)],
        [entry("/b"), entry("/a")],
        [entry("/a"), entry("/a")],
        [{**entry(), "more": 1}],
        "x",
    ],
)
def test_malformed_lists(files: object) -> None:
    with pytest.raises(CryptoError):
        parse_list(canonical_json({"v": 1, "serial": 1, "files": files}))


@pytest.mark.parametrize("data", [b"", b"{}", LISTED.encode() + b"\n", LISTED.encode()[1:]])
def test_malformed_bytes(data: bytes) -> None:
    with pytest.raises(CryptoError):
        parse_list(data)


def test_a_path_that_cannot_be_listed_is_refused_when_listing() -> None:
    with pytest.raises(CryptoError):
        list_files({"/a b": b""}, 1)
    assert SiteFile("/a", "0" * 64, 0).judge(b"") == "differs"
