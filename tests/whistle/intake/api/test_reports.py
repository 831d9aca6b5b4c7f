# SPDX-License-Identifier: AGPL-3.0-or-later
"""Sealed reports: taken once, whole, by the right key, and opened by the desk."""

from crypto.body import ReportBody
from crypto.encoding import unb64
from crypto.private.open_report import open_attachment, open_message
from crypto.promise import commitment, verify_promise
from crypto.rng import system_rng
from crypto.signing import public_from_seed
from tests.support.intake import Intake
from tests.support.office import Office
from tests.support.sealed_client import SealedClient, Sealer, seal_file

CONTENT = system_rng(1_300_000)


async def test_a_sealed_report_with_a_file_reaches_the_desk(
    intake: Intake, client: SealedClient, sealer: Sealer
) -> None:
    file = seal_file(CONTENT)
    await client.upload(file)
    status, answer = await client.report(sealer, sealer.report("Diminta lagi.", [file]))
    assert status == 200, answer
    assert (answer["day"], answer["due"]) == ("2026-04-07", "2026-04-10")
    intake_key = public_from_seed(intake.org.service_seeds["intake"])
    promise = verify_promise(intake_key, unb64(answer["promise"]))
    assert promise.commitment == commitment(sealer.keys)

    (record,) = await Office(intake).records()
    assert record["thread"] == sealer.keys.lookup_id.hex()
    assert record["mailbox_key"] == sealer.keys.mailbox_key.hex()
    assert record["recipients"] == sealer.people
    seed = intake.org.identities["pengawas"].recipient_seed
    frame, _ = open_message(
        seed, unb64(record["container"]), intake.org.instance_id, sealer.keys.lookup_id
    )
    body = ReportBody.parse(frame.body)
    assert body.fields == {"story": "Diminta lagi."}
    assert record["blobs"] == [{"id": file.id, "size": len(file.data)}]
    blob = await intake.feed("GET", f"/feed/v1/blobs/{file.id}")
    assert open_attachment(body.attachments[0], blob.body) == CONTENT
    assert intake.services.store.uploads.find(file.id) is None
