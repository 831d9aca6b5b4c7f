# SPDX-License-Identifier: AGPL-3.0-or-later
"""What somebody learns who takes the paper with the code: the later messages, never the report."""

import pytest

from crypto.encoding import unb64
from crypto.errors import CryptoError
from crypto.private.open_report import open_message
from crypto.receipt import derive, parse_receipt
from tests.support.http_reporter import HttpReporter
from tests.support.intake import Intake
from tests.support.office import Office

REPORT = {"story": "kisahrahasia", "place": "tempatrahasia", "who": "siaparahasia"}


async def test_the_first_report_is_never_shown_again(
    intake: Intake, reporter: HttpReporter
) -> None:
    draft = await reporter.draft(REPORT, [("berkasrahasia.png", b"isirahasia" * 100)])
    words = await reporter.send(draft)
    page = await reporter.look(words)
    page = await reporter.write(page, "Tambahan kemudian.")
    page += await reporter.look(words)
    assert "Tambahan kemudian." in page
    for text in (*REPORT.values(), "berkasrahasia", "isirahasia"):
        assert text not in page


async def test_no_key_of_the_receipt_opens_the_report(
    intake: Intake, reporter: HttpReporter
) -> None:
    words = await reporter.send(await reporter.draft(REPORT))
    (record,) = await Office(intake).records()
    keys = derive(parse_receipt(" ".join(words)), intake.org.instance_id)
    thread = bytes.fromhex(record["thread"])
    assert thread == keys.lookup_id
    seeds = (
        keys.auth_seed,
        keys.sign_seed,
        bytes(keys.reply_seed),
        keys.state_key,
        keys.mailbox_key,
        keys.log_secret,
    )
    for seed in seeds:
        with pytest.raises(CryptoError):
            open_message(seed, unb64(record["container"]), intake.org.instance_id, thread)
