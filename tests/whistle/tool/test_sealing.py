# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the tool seals opens on a desk, for the right people, and shows nothing outside."""

import os
import stat
from pathlib import Path

import pytest

from crypto.body import ReportBody
from crypto.envelope import check_container
from crypto.errors import CryptoError
from crypto.frame import FrameType, Origin
from crypto.private.open_report import open_attachment, open_message
from crypto.receipt import derive, parse_receipt
from crypto.rng import system_rng
from tests.support.org import Org
from tests.whistle.tool.keys_at_hand import answers, keys_of, organisation, split_bundle
from whistle.intake.dossier import open_dossier
from whistle.intake.sealing import FORM
from whistle.tool import sealing
from whistle.tool.errors import AnswersError, KeyListError, ToolError
from whistle.tool.sealing import sealed_report, write_bundle

STORY = "Kenari-Rahasia-4711"


def seal(org: Org, out: Path, files: list[Path] | None = None, **texts: str) -> str:
    """Seal into `out`; return the receipt."""
    keys = keys_of(org)
    with sealed_report(
        answers(keys, story=STORY, **texts), files or [], keys, "id", out.parent, system_rng
    ) as sealed:
        assert write_bundle(sealed, out) == out.stat().st_size
        return " ".join(sealed.receipt.words("en"))


def test_opens_on_every_desk_and_nowhere_else(tmp_path: Path) -> None:
    org = organisation(tmp_path)
    photo = tmp_path / "foto loket.jpg"
    photo.write_bytes(os.urandom(300_000))
    words = seal(org, tmp_path / "b.whb", [photo], service="ktp-pindah")
    head, container, blobs = split_bundle((tmp_path / "b.whb").read_bytes())
    own = derive(parse_receipt(words), org.instance_id)
    assert (head.lookup_id, head.auth_public) == (own.lookup_id, own.auth_public)
    assert head.mailbox_key == own.mailbox_key
    head.verify(org.instance_id, container)
    assert check_container(container).recipients == 3
    assert head.recipients == tuple(org.identities)
    for identity in org.identities.values():
        frame, _raw = open_message(
            identity.recipient_seed, container, org.instance_id, own.lookup_id
        )
        assert (frame.type, frame.origin, frame.day) == (FrameType.REPORT, Origin.TOOL, 0)
        assert frame.sender == own.sign_public
        body = ReportBody.parse(frame.body)
        assert body.form == FORM == sealing.FORM
        assert body.fields == {"story": STORY, "service": "ktp-pindah"}
        assert body.reply_recipient().raw == own.reply_recipient.raw
        (reference,) = body.attachments
        assert (reference.name, reference.type) == ("foto loket.jpg", "image/jpeg")
        assert open_attachment(reference, blobs[0]) == photo.read_bytes()
    with pytest.raises(CryptoError):
        open_message(own.reply_seed, container, org.instance_id, own.lookup_id)


def test_accused_people_cannot_open(tmp_path: Path) -> None:
    org = organisation(tmp_path)
    words = seal(org, tmp_path / "b.whb", unit="inspektorat-1", exclude_unit="inspektorat-2")
    head, container, _blobs = split_bundle((tmp_path / "b.whb").read_bytes())
    own = derive(parse_receipt(words), org.instance_id)
    assert head.recipients == ("pengawas",)
    assert check_container(container).recipients == 1
    excluded = open_dossier(own.state_key, own.lookup_id, head.dossier)
    assert excluded == {"inspektorat-1", "inspektorat-2"}
    for person in ("penyidik-1", "penyidik-2"):
        with pytest.raises(CryptoError):
            open_message(
                org.identities[person].recipient_seed, container, org.instance_id, own.lookup_id
            )


def test_nothing_shows_and_nothing_else_is_stored(tmp_path: Path) -> None:
    org = organisation(tmp_path)
    folder = tmp_path / "out"
    folder.mkdir()
    note = tmp_path / "nama-berkas-rahasia.txt"
    note.write_text("isi-rahasia")
    words = seal(org, folder / "b.whb", [note])
    assert [path.name for path in folder.iterdir()] == ["b.whb"]
    assert stat.S_IMODE((folder / "b.whb").stat().st_mode) == 0o600
    data = (folder / "b.whb").read_bytes()
    raw = parse_receipt(words).raw
    for secret in (STORY.encode(), b"rahasia", b"text/plain", raw, raw.hex().encode()):
        assert secret not in data
    assert not any(word.encode() in data for word in words.split() if len(word) > 6)


@pytest.mark.parametrize("size", [0, 1, 65535, 65536, 65537, 1_048_576, 1_048_577])
def test_sizes_of_files(tmp_path: Path, size: int) -> None:
    org = organisation(tmp_path)
    path = tmp_path / "file"
    path.write_bytes(os.urandom(size))
    words = seal(org, tmp_path / "b.whb", [path, path])
    head, container, blobs = split_bundle((tmp_path / "b.whb").read_bytes())
    own = derive(parse_receipt(words), org.instance_id)
    seed = org.identities["pengawas"].recipient_seed
    frame, _raw = open_message(seed, container, org.instance_id, own.lookup_id)
    for reference, blob in zip(ReportBody.parse(frame.body).attachments, blobs, strict=True):
        assert open_attachment(reference, blob) == path.read_bytes()
    assert head.total == (tmp_path / "b.whb").stat().st_size


def test_refusals(tmp_path: Path) -> None:
    org = organisation(tmp_path)
    out = tmp_path / "b.whb"
    with pytest.raises(AnswersError):
        seal(org, out, [tmp_path / "missing"])
    with pytest.raises(AnswersError):
        seal(org, out, [org.dir / "manifest.json"] * 33)
    org.rewrite(serial=0, not_after="2026-01-01", not_before="2025-01-01")
    with pytest.raises(KeyListError):
        seal(org, out)
    assert not out.exists()
    org.rewrite(not_after="2027-01-01")
    seal(org, out)
    with pytest.raises(ToolError):
        seal(org, out)
