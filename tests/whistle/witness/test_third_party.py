# SPDX-License-Identifier: AGPL-3.0-or-later
"""Our client with a stranger's witness, our witness with a stranger's client, where installed.

`aics-tlog` and `aics-witness` are no dependencies; see tests/crypto/tlog/test_third_party.py.
"""

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from crypto.rng import system_rng
from crypto.tlog.note import open_note
from crypto.tlog.policy import Witness as Named
from tests.support.sample_log import FIRST, LOG, TIME, SampleLog
from whistle.http import serve
from whistle.witness.client import Outcome, Route, gather
from whistle.witness.server import Witness, create_app
from whistle.witness.store import create, load

ROUTE = Route(system_rng, seconds=30.0)


@pytest.fixture
def theirs() -> SimpleNamespace:
    pytest.importorskip("aics_witness")
    import aics_tlog  # noqa: PLC0415
    from aics_witness import config, feeder, service, store  # noqa: PLC0415

    return SimpleNamespace(
        tlog=aics_tlog, config=config, feeder=feeder, service=service, store=store
    )


@contextlib.contextmanager
def served(theirs: SimpleNamespace, folder: Path) -> Iterator[str]:
    """A stranger's witness with our first witness's key."""
    key: ModuleType = theirs.tlog.parse_vkey(LOG.verifier.encode())
    logs = [theirs.config.LogConfig(LOG.name, (key,))]
    memory = theirs.store.WitnessStore(folder / "their.db", create=True)
    private = Ed25519PrivateKey.from_private_bytes(FIRST.seed)
    witness = theirs.service.Witness(FIRST.name, private, memory, logs, clock=lambda: TIME)
    server = theirs.service.make_server(witness)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.url
    finally:
        server.shutdown()
        server.server_close()
        thread.join(20)
        memory.close()


async def test_our_client_and_their_witness(theirs: SimpleNamespace, tmp_path: Path) -> None:
    log, fork = SampleLog.of(5), SampleLog.of(600, b"fork")
    with served(theirs, tmp_path) as url:
        asked = [Named("first", FIRST.verifier, url)]
        for growth in (0, 300, 0):
            log.grow(growth)
            gathered = await gather(log.note(), log.tree.consistency, asked, ROUTE)
            assert [each.outcome for each in gathered.results] == [Outcome.COSIGNED]
            opened = open_note(gathered.note, [LOG.verifier, FIRST.verifier])
            assert len(opened.verified) == 2
        refused = await gather(fork.note(), fork.tree.consistency, asked, ROUTE)
        same = SampleLog.of(305, b"same")
        second = await gather(same.note(), same.tree.consistency, asked, ROUTE)
    assert [each.outcome for each in refused.results] == [Outcome.CONFLICT]
    assert [each.outcome for each in second.results] == [Outcome.CONFLICT]


async def test_their_client_and_our_witness(theirs: SimpleNamespace, tmp_path: Path) -> None:
    create(tmp_path, FIRST.name, lambda length: FIRST.seed[:length])
    app = create_app(Witness(load(tmp_path), [LOG.verifier], lambda: TIME))
    log, fork = SampleLog.of(5), SampleLog.of(600, b"fork")
    async with serve.listening(app, tcp=("127.0.0.1", 0)) as running:
        client = theirs.feeder.WitnessClient(
            f"http://127.0.0.1:{running.port}", FIRST.verifier.encode(), clock=lambda: TIME
        )
        for growth in (0, 300, 0):
            log.grow(growth)
            line = await asyncio.to_thread(client.submit, log.note(), log.tree.consistency)
            opened = open_note(log.note() + line, [FIRST.verifier])
            assert opened.times == {FIRST.verifier: TIME}
        with pytest.raises(theirs.feeder.FeederError):
            await asyncio.to_thread(client.submit, fork.note(), fork.tree.consistency)
        client.close()
