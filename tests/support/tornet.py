# SPDX-License-Identifier: AGPL-3.0-or-later
"""A private Tor network on loopback: one authority, four relays, one client. About ten seconds
from nothing.

Real tor daemons; nothing outside 127.0.0.1 is ever contacted. One authority is a majority of one;
four relays are the fewest with which a service finds three introduction points. The voting clock
is not waited for but moved: the first vote is set by control port as soon as the authority knows
every relay.
"""

import os
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from stem.control import Controller

RELAYS = 4
PASSPHRASE = b"not a secret: test network\n"
START_TIMEOUT = 120.0
STOP_TIMEOUT = 10.0
POLL = 0.1

COMMON = """
TestingTorNetwork 1
Address 127.0.0.1
AssumeReachable 1
PathsNeededToBuildCircuits 0.67
ExitRelay 0
Log notice file {folder}/log
DataDirectory {folder}
ControlSocket {folder}/control
CookieAuthentication 1
__OwningControllerProcess {owner}
SafeLogging 0
"""

AUTHORITY = """
SocksPort 0
ORPort {or_port}
DirPort {dir_port}
Nickname authority
ContactInfo none
AuthoritativeDirectory 1
V3AuthoritativeDirectory 1
TestingV3AuthInitialVotingInterval 1800
TestingV3AuthInitialVoteDelay 2
TestingV3AuthInitialDistDelay 2
V3AuthVotingInterval 300
V3AuthVoteDelay 2
V3AuthDistDelay 2
V3AuthNIntervalsValid 24
TestingDirAuthVoteGuard *
TestingDirAuthVoteHSDir *
TestingMinFastFlagThreshold 0
TestingAuthDirTimeToLearnReachability 0
"""

RELAY = """
SocksPort 0
ORPort {or_port}
Nickname relay{number}
"""

CLIENT = """
SocksPort 127.0.0.1:{socks_port} ExtendedErrors
"""


class TorNetworkError(Exception):
    """A tor did not do what it should; the text holds the end of its log."""


@dataclass
class Node:
    """One tor process of the network."""

    name: str
    folder: Path
    process: subprocess.Popen[bytes] | None = None
    _controller: Controller | None = None

    @property
    def torrc(self) -> Path:
        return self.folder / "torrc"

    def start(self) -> None:
        self.process = subprocess.Popen(
            ["tor", "-f", str(self.torrc), "--defaults-torrc", "/dev/null", "--quiet"],
            stdin=subprocess.DEVNULL,
        )

    def stop(self) -> None:
        controller, self._controller = self._controller, None
        if controller is not None:
            controller.close()
        process, self.process = self.process, None
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def control(self, deadline: float) -> Controller:
        """The open control connection. stem owns the tor through it: closing it ends the tor."""
        if self._controller is None:
            socket_file = self.folder / "control"
            wait_for(socket_file.exists, deadline, f"{self.name} opens its control socket", self)
            controller = Controller.from_socket_file(str(socket_file))
            controller.authenticate()
            self._controller = controller
        return self._controller


def wait_for(condition: Callable[[], bool], deadline: float, what: str, node: Node) -> None:
    """Polls until the condition holds. Raises: TorNetworkError with the end of the node's log."""
    while not condition():
        if node.process is not None and node.process.poll() is not None:
            raise TorNetworkError(f"{node.name} ended: {_log_end(node)}")
        if time.monotonic() > deadline:
            raise TorNetworkError(f"not in time: {what}. {_log_end(node)}")
        time.sleep(POLL)


def _log_end(node: Node) -> str:
    log = node.folder / "log"
    if not log.exists():
        return "(no log)"
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-8:])


def free_ports(count: int) -> list[int]:
    """Different free loopback ports."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()


class TorNetwork:
    """The network; `torrc_lines` make any other tor a member of it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._authority = Node("authority", folder / "authority")
        self._relays = [Node(f"relay{n}", folder / f"relay{n}") for n in range(RELAYS)]
        self._client = Node("client", folder / "client")
        self._dir_authority = ""
        self.client_socks_port = 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def torrc_lines(self) -> list[str]:
        """What a tor of ours needs to live in this network instead of the public one."""
        return [
            "TestingTorNetwork 1",
            "Address 127.0.0.1",
            "PathsNeededToBuildCircuits 0.67",
            self._dir_authority,
        ]

    @property
    def client_control(self) -> Path:
        """Control socket of the client, for tests that change its authorisation keys."""
        return self._client.folder / "control"

    def start(self) -> None:
        """Starts everything and waits until a client has directory information."""
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            self._start(time.monotonic() + START_TIMEOUT)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stops every process that was started here."""
        for node in (self._client, *self._relays, self._authority):
            node.stop()

    def _start(self, deadline: float) -> None:
        ports = free_ports(RELAYS + 3)
        self.client_socks_port = ports.pop()
        self._make_authority(ports.pop(), ports.pop())
        self._authority.start()
        for number, (node, port) in enumerate(zip(self._relays, ports, strict=True)):
            self._write(node, RELAY.format(or_port=f"127.0.0.1:{port}", number=number))
            node.start()
        self._vote(deadline)
        for node in self._relays:
            self._reload(node, deadline)
        self._write(self._client, CLIENT.format(socks_port=self.client_socks_port))
        self._client.start()
        self._wait_for_directory(self._client, deadline)

    def _make_authority(self, or_port: int, dir_port: int) -> None:
        node = self._authority
        keys = node.folder / "keys"
        keys.mkdir(mode=0o700, parents=True)
        node.folder.chmod(0o700)
        certificate = keys / "authority_certificate"
        subprocess.run(
            [
                "tor-gencert", "--create-identity-key", "--passphrase-fd", "0", "-m", "12",
                "-a", f"127.0.0.1:{dir_port}", "-i", str(keys / "authority_identity_key"),
                "-s", str(keys / "authority_signing_key"), "-c", str(certificate),
            ],
            input=PASSPHRASE, check=True, capture_output=True,
        )  # fmt: skip
        text = certificate.read_text(encoding="ascii")
        v3ident = text.split("fingerprint ", 1)[1].split()[0]
        ports = {"or_port": f"127.0.0.1:{or_port}", "dir_port": f"127.0.0.1:{dir_port}"}
        self._dir_authority = (
            f"DirAuthority a0 orport={or_port} no-v2 v3ident={v3ident} 127.0.0.1:{dir_port} "
            + "0" * 40
        )
        self._write(node, AUTHORITY.format(**ports))
        listed = subprocess.run(
            ["tor", "-f", str(node.torrc), "--defaults-torrc", "/dev/null", "--list-fingerprint",
             "--quiet"],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        fingerprint = "".join(listed.stdout.strip().splitlines()[-1].split()[1:])
        self._dir_authority = self._dir_authority[:-40] + fingerprint
        self._write(node, AUTHORITY.format(**ports))

    def _write(self, node: Node, special: str) -> None:
        node.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        text = COMMON.format(folder=node.folder, owner=os.getpid()) + special
        node.torrc.write_text(f"{text}\n{self._dir_authority}\n", encoding="utf-8")
        certificate = self._authority.folder / "keys" / "authority_certificate"
        (node.folder / "cached-certs").write_bytes(certificate.read_bytes())

    def _vote(self, deadline: float) -> None:
        """Waits for all descriptors at the authority, then moves the vote to the next second."""
        control = self._authority.control(deadline)
        wait_for(
            lambda: control.get_info("desc/all-recent").count("\nrouter-signature") > RELAYS,
            deadline, "every relay sends its descriptor", self._authority,
        )  # fmt: skip
        control.set_options(
            {
                "TestingV3AuthInitialVotingInterval": "5",
                "TestingV3AuthVotingStartOffset": str((int(time.time()) + 3) % 5),
            }
        )
        consensus = self._authority.folder / "cached-microdesc-consensus"
        wait_for(consensus.exists, deadline, "the authority publishes", self._authority)

    def _reload(self, node: Node, deadline: float) -> None:
        """A relay that met 404 before the consensus backs off; RELOAD makes it ask again."""
        node.control(deadline).signal("RELOAD")
        self._wait_for_directory(node, deadline)

    def _wait_for_directory(self, node: Node, deadline: float) -> None:
        control = node.control(deadline)
        wait_for(
            lambda: control.get_info("status/enough-dir-info") == "1",
            deadline, f"{node.name} has enough directory information", node,
        )  # fmt: skip
