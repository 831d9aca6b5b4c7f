# SPDX-License-Identifier: AGPL-3.0-or-later
"""A whole case server inside the test process: real socket, real store, people with real keys."""

import contextlib
import io
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from yarl import URL

from case_mgmt.acts import Act, SignedAct, countersign_act, message_hash, sign_act
from case_mgmt.model import ActKind, CaseId, DeviceKey, State
from case_mgmt.records import Record
from crypto.encoding import b64, canonical_json
from crypto.requests import sign_request
from crypto.rng import system_rng
from crypto.signing import public_from_seed
from tests.support.case_office import PEOPLE, TODAY, a_reply, a_report
from tests.support.intake import Calendar
from tests.support.org import Org, make_org
from whistle.cases.app import create_app
from whistle.cases.services import CasesServices, CasesSettings
from whistle.cases.wiring import build_services
from whistle.http import serve


@dataclass
class Reply:
    """An HTTP answer."""

    status: int
    body: bytes
    headers: Any = field(repr=False)

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        code: str = self.json["error"]["code"]
        return code


@dataclass
class CaseServer:
    """One running case server."""

    org: Org
    services: CasesServices
    base: str
    calendar: Calendar
    session: aiohttp.ClientSession

    async def ask(
        self,
        who: str | None,
        method: str,
        target: str,
        content: Any = None,
        *,
        body: bytes | None = None,
        **changes: str,
    ) -> Reply:
        """One request; `who` None sends it unsigned, `changes` overrides headers."""
        data = body if body is not None else b"" if content is None else canonical_json(content)
        headers = {} if who is None else self.headers(who, method, target, data)
        headers.update({name.replace("_", "-"): value for name, value in changes.items()})
        async with self.session.request(
            method,
            URL(self.base + target, encoded=True),
            data=io.BytesIO(data) if data else None,
            headers=headers,
        ) as answer:
            return Reply(answer.status, await answer.read(), answer.headers)

    def headers(self, who: str, method: str, target: str, data: bytes) -> dict[str, str]:
        return sign_request(
            self.seed(who),
            self.org.instance_id,
            method,
            target,
            data,
            self.calendar.now(),
            system_rng,
        )

    def seed(self, who: str) -> bytes:
        if who in self.org.identities:
            return self.org.identities[who].device_seed
        return self.org.service_seeds[who]

    def take_in(self, record: Record | None = None) -> CaseId:
        """A case without an intake."""
        rules = self.services.rules()
        return self.services.office.take_in(record or a_report(1), rules)

    async def act(
        self, case: str, who: str, to: str | None = None, kind: str = "transition", **more: Any
    ) -> dict[str, Any]:
        """The body of a good act by this person."""
        seen = (await self.ask("pengawas", "GET", f"/v1/cases/{case}")).json
        sealed = more.pop("container") if "container" in more else a_reply()
        act = Act(
            case=CaseId(case),
            seq=seen["next_seq"],
            prev=seen["head"],
            kind=ActKind(kind),
            source=State(seen["state"]),
            target=State(to or seen["state"]),
            message=None if sealed is None else message_hash(sealed),
            day=self.calendar.today(),
            signer=DeviceKey(public_from_seed(self.seed(who)).hex()),
            **more,
        )
        return {
            "act": act.to_object(),
            "signature": b64(sign_act(self.seed(who), act)),
            "container": None if sealed is None else b64(sealed),
        }

    async def submit(self, case: str, who: str, to: str | None = None, **more: Any) -> Reply:
        body = await self.act(case, who, to, **more)
        return await self.ask(who, "POST", f"/v1/cases/{case}/acts", body)

    async def confirmation(self, case: str, who: str) -> dict[str, Any]:
        """The body with which this person confirms what waits."""
        pending = (await self.ask("pengawas", "GET", f"/v1/cases/{case}")).json["pending"]
        act = Act.from_object(pending["act"])
        return {
            "act_hash": pending["act_hash"],
            "countersignature": b64(countersign_act(self.seed(who), act)),
        }

    async def confirm(self, case: str, who: str) -> Reply:
        body = await self.confirmation(case, who)
        return await self.ask(who, "POST", f"/v1/cases/{case}/proposal/confirm", body)


def all_acts(services: CasesServices) -> list[SignedAct]:
    """Every act of this server."""
    with services.store.reading() as unit:
        return list(unit.ledger())


@contextlib.contextmanager
def built_cases(
    tmp_path: Path, calendar: Calendar, org: Org, feed: Path | None = None
) -> Iterator[CasesServices]:
    """The services without serving; closed afterwards."""
    settings = CasesSettings(
        org=org.dir,
        state=org.write_state(tmp_path / "cases", "cases"),
        feed_socket=feed or tmp_path / "no-feed.sock",
        poll_seconds=0.02,
    )
    services = build_services(settings, calendar.today, calendar.now, system_rng)
    try:
        yield services
    finally:
        services.close()


@contextlib.asynccontextmanager
async def running_cases(
    tmp_path: Path,
    calendar: Calendar | None = None,
    org: Org | None = None,
    feed: Path | None = None,
) -> AsyncIterator[CaseServer]:
    """Serve the desk's interface on a free port; without `feed` there is no intake."""
    calendar = calendar or Calendar()
    org = org or make_org(tmp_path, TODAY, people=PEOPLE)
    with built_cases(tmp_path, calendar, org, feed) as services:
        async with (
            serve.listening(create_app(services), tcp=("127.0.0.1", 0)) as listening,
            aiohttp.ClientSession(auto_decompress=False) as session,
        ):
            base = f"http://127.0.0.1:{listening.port}"
            yield CaseServer(org, services, base, calendar, session)
