# SPDX-License-Identifier: AGPL-3.0-or-later
"""The public log on a running case server: who is given what, what is taken in, what waits."""

import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from case_mgmt.publication.batches import week_end
from case_mgmt.publiclog import Head
from crypto.encoding import b64, unb64
from crypto.signing import public_from_seed
from crypto.tlog.lines import KeyType
from crypto.tlog.note import SignerKey
from crypto.tlog.policy import Log, Policy, Witness, simple_policy
from tests.support.case_office import PEOPLE, TODAY, a_report, container
from tests.support.case_server import CaseServer, running_cases
from tests.support.intake import Calendar
from tests.support.org import Org, make_org, seed
from whistle.cases.loghead import HeadFile
from whistle.cases.logkeeper import LogKeeper, LogPlace
from whistle.cases.staging import Staging
from whistle.cases.witnessed import WitnessFile
from whistle.errors import ConfigError
from whistle.witness.client import Gathered, Outcome, Result

CAST = PEOPLE
PUBLICATION = "/v1/publication"


def with_log(folder: Path, witnesses: Sequence[Witness] = (), quorum: int = 0) -> Org:
    """An organisation that keeps a log; its key lies where the case server looks."""
    org = make_org(folder, TODAY, people=CAST)
    signer = log_signer(org)
    policy = simple_policy(Log(signer.verifier), witnesses, quorum).encode()
    (org.dir / "log-policy.txt").write_text(policy, "utf-8")
    files = {**org.manifest["files"], "log-policy.txt": hashlib.sha256(policy.encode()).hexdigest()}
    services = {**org.manifest["services"], "log": public_from_seed(signer.seed).hex()}
    org.rewrite(files=files, services=services)
    state = org.write_state(folder / "cases", "cases")
    (state / "log.key").write_text(signer.seed.hex() + "\n", "ascii")
    return org


def log_signer(org: Org) -> SignerKey:
    return SignerKey(f"whistle/{org.instance_id.hex()}", seed("service log"))


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[CaseServer]:
    org = with_log(tmp_path)
    async with running_cases(tmp_path, org=org) as one:
        yield one


@pytest.mark.parametrize(
    ("who", "target", "status"),
    [
        ("penerbit", PUBLICATION, 200),
        ("pemeriksa", PUBLICATION, 200),
        ("penyidik-1", PUBLICATION, 403),
        ("pengawas", PUBLICATION, 403),
        ("penerbit", PUBLICATION + "/cards/start", 200),
        ("pemeriksa", PUBLICATION + "/cards/start", 403),
        ("penyidik-1", PUBLICATION + "/cards/start", 403),
        ("penerbit", PUBLICATION + "/openings", 403),
        ("pemeriksa", PUBLICATION + "/openings", 200),
        ("penerbit", PUBLICATION + "/cards/elsewhere", 404),
        ("penerbit", PUBLICATION + "/releases/2026-q1/release.json", 404),
        ("penerbit", PUBLICATION + "/releases/..%2f/release.json", 404),
    ],
)
async def test_who_is_given_what(server: CaseServer, who: str, target: str, status: int) -> None:
    assert (await server.ask(who, "GET", target)).status == status


async def test_a_card_reaches_the_publisher_under_its_pseudonym(server: CaseServer) -> None:
    case = server.take_in(a_report(1))
    assert (await server.ask("pengawas", "GET", f"/v1/cases/{case}")).json["card"] is True
    card = container(1)
    body = {"container": b64(card)}
    kept = await server.ask("pengawas", "POST", f"/v1/cases/{case}/card", body)
    assert kept.status == 200
    assert (await server.ask("pengawas", "GET", f"/v1/cases/{case}")).json["card"] is False
    answer = await server.ask("penerbit", "GET", PUBLICATION + "/cards/start")
    (listed,) = answer.json["cards"]
    assert unb64(listed["container"]) == card
    assert case not in answer.body.decode()
    rest = await server.ask("penerbit", "GET", f"{PUBLICATION}/cards/{listed['case']}")
    assert rest.json == {"cards": []}


@pytest.mark.parametrize(
    ("who", "stanzas", "code"),
    [
        ("pengawas", 2, "card_malformed"),
        ("penerbit", 1, "conflicted"),
        ("pemeriksa", 1, "conflicted"),
    ],
)
async def test_cards_that_are_refused(
    server: CaseServer, who: str, stanzas: int, code: str
) -> None:
    case = server.take_in(a_report(1))
    body = {"container": b64(container(stanzas))}
    assert (await server.ask(who, "POST", f"/v1/cases/{case}/card", body)).code == code


@pytest.mark.parametrize("who", ["pengawas", "pemeriksa", "penyidik-1"])
async def test_only_a_publisher_hands_in_releases(server: CaseServer, who: str) -> None:
    target = PUBLICATION + "/releases/2026-q1"
    body = {"path": "release.json", "content": b64(b"{}")}
    assert (await server.ask(who, "POST", target + "/files", body)).code == "not_publisher"
    assert (await server.ask(who, "POST", target, {})).code == "not_publisher"


async def test_a_release_that_is_not_one_stays_out(server: CaseServer) -> None:
    target = PUBLICATION + "/releases/2026-q1"
    for path in ("../x", "/x", "a//b", ""):
        body = {"path": path, "content": b64(b"{}")}
        refused = await server.ask("penerbit", "POST", target + "/files", body)
        assert refused.code == "release_files"
    body = {"path": "release.json", "content": b64(b"{}")}
    assert (await server.ask("penerbit", "POST", target + "/files", body)).status == 200
    assert (await server.ask("penerbit", "POST", target, {})).code == "release_files"


async def test_without_a_log_nothing_is_kept(tmp_path: Path) -> None:
    org = make_org(tmp_path, TODAY, people=CAST)
    async with running_cases(tmp_path, org=org) as server:
        assert server.services.keeper is None
        case = server.take_in(a_report(1))
        assert (await server.ask("pengawas", "GET", f"/v1/cases/{case}")).json["card"] is False
        assert (await server.ask("pengawas", "GET", "/v1/status")).json["log"] is None


async def test_another_log_key_stops_the_start(tmp_path: Path) -> None:
    org = with_log(tmp_path)
    (tmp_path / "cases" / "log.key").write_text(seed("another").hex() + "\n", "ascii")
    with pytest.raises(ConfigError, match="log key"):
        async with running_cases(tmp_path, org=org):
            pass


@dataclass
class Witnesses:
    """Stands in for the witnesses of a policy: adds what it was told to add."""

    lines: str = ""
    asked: list[int] = field(default_factory=list)
    results: tuple[Result, ...] = (Result("kampus", Outcome.CONFLICT),)

    async def __call__(
        self, note: str, consistency: Callable[[int], Sequence[bytes]], _policy: Policy
    ) -> Gathered:
        self.asked.append(len(consistency(0)))
        return Gathered(note + self.lines, self.results)


async def test_without_the_quorum_nothing_goes_out(tmp_path: Path) -> None:
    witness = SignerKey("witness.example", seed("witness"), KeyType.COSIGNATURE)
    org = with_log(tmp_path, [Witness("kampus", witness.verifier)], 1)
    calendar = Calendar()
    async with running_cases(tmp_path, calendar, org) as server:
        services = server.services
        assert services.log is not None
        asked = Witnesses()
        place = LogPlace(
            log=services.log,
            threads=services.threads,
            rules=services.rules,
            policy=lambda: services.organisation.current.log_policy,
            cosign=asked,
            wake_puller=lambda: None,
            witnessed=WitnessFile(tmp_path / "witnesses"),
        )
        keeper = LogKeeper(place)
        assert not await keeper.once()
        assert keeper.status.problem == "QuorumError"
        with services.store.reading() as unit:
            assert (unit.public_size(), list(unit.public_paths())) == (0, [])
        assert asked.asked
        assert keeper.status.to_object()["witnesses"] == {"kampus": "conflict"}
        asked.results = ()
        assert LogKeeper(place).status.witnesses == {"kampus": Outcome.CONFLICT}  # a new start
        assert not await keeper.once()
        assert keeper.status.witnesses == {}


def test_what_witnesses_answered_is_no_reason_to_stop(tmp_path: Path) -> None:
    file = WitnessFile(tmp_path / "witnesses")
    assert file.recall() == {}
    for damage in (b"", b"[]", b'{"witnesses":[]}', b'{"witnesses":{"kampus":"fine"}}'):
        (tmp_path / "witnesses").write_bytes(damage)
        assert file.recall() == {}
    assert file.remember([Result("pers", Outcome.COSIGNED, 5)]) == {"pers": Outcome.COSIGNED}
    assert WitnessFile(tmp_path / "witnesses").recall() == {"pers": Outcome.COSIGNED}
    assert (tmp_path / "witnesses").stat().st_mode & 0o777 == 0o600


async def test_a_week_goes_out_by_itself(tmp_path: Path) -> None:
    org = with_log(tmp_path)
    calendar = Calendar()
    async with running_cases(tmp_path, calendar, org) as server:
        for number in range(1, 11):
            server.take_in(a_report(number))
        calendar.pass_days((week_end(TODAY) - TODAY).days + 1)
        keeper = server.services.keeper
        assert keeper is not None
        await keeper.once()
        await keeper.once()
        answer = (await server.ask("penerbit", "GET", PUBLICATION)).json
        assert len(answer["entries"]) == 11
        assert answer["note"].split("\n")[1] == "11"


def test_the_head_survives_and_damage_is_no_beginning(tmp_path: Path) -> None:
    file = HeadFile(tmp_path / "log.head")
    assert file.recall() is None
    head = Head(7, bytes(range(32)))
    file.remember(head)
    assert HeadFile(tmp_path / "log.head").recall() == head
    (tmp_path / "log.head").write_bytes(b"{}")
    with pytest.raises(Exception, match="damaged"):
        file.recall()


def test_what_was_gathered_can_be_dropped(tmp_path: Path) -> None:
    staging = Staging(tmp_path / "staging")
    staging.add("2026-q1", "data/a.csv", b"1")
    staging.drop("2026-q1")
    assert not (tmp_path / "staging" / "2026-q1").exists()
