# SPDX-License-Identifier: AGPL-3.0-or-later
"""tor's folders: private, exact in who is authorised, and a control socket with a short path."""

import stat
from pathlib import Path

import pytest

from onion.client_auth import ClientKey
from onion.errors import ClientKeyError, SettingError
from onion.state import hostname_file, open_state, write_private

KEY = ClientKey(b"\x07" * 32).public_text


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_folders_are_private_even_if_they_were_not(tmp_path: Path) -> None:
    root = tmp_path / "tor"
    root.mkdir(mode=0o755)
    with open_state(root) as state:
        state.make()
        state.make_service(state.cases, {"desk-1": KEY})
        for folder in (root, state.data, state.cases, state.cases / "authorized_clients"):
            assert mode(folder) == 0o700
        assert mode(state.cases / "authorized_clients" / "desk-1.auth") == 0o600


def test_exactly_the_given_desks_are_authorised(tmp_path: Path) -> None:
    with open_state(tmp_path) as state:
        state.make_service(state.cases, {"desk-1": KEY, "desk-2": KEY})
        state.make_service(state.cases, {"desk-2": KEY})
        clients = state.cases / "authorized_clients"
        assert [path.name for path in clients.iterdir()] == ["desk-2.auth"]
        assert (clients / "desk-2.auth").read_text() == f"descriptor:x25519:{KEY}\n"


@pytest.mark.parametrize("desks", [{"../x": KEY}, {"desk-1": KEY.lower()}, {"desk-1": ""}])
def test_a_wrong_desk_changes_nothing(tmp_path: Path, desks: dict[str, str]) -> None:
    with open_state(tmp_path) as state:
        state.make_service(state.cases, {"desk-2": KEY})
        with pytest.raises(ClientKeyError):
            state.make_service(state.cases, {"desk-3": KEY, **desks})
        clients = state.cases / "authorized_clients"
        assert [path.name for path in clients.iterdir()] == ["desk-2.auth"]


def test_what_an_earlier_run_left_is_removed_but_not_the_keys(tmp_path: Path) -> None:
    with open_state(tmp_path) as state:
        state.make_service(state.intake, {})
        key = state.intake / "hs_ed25519_secret_key"
        key.touch()
        hostname_file(state.intake).touch()
        state.control_socket.touch()
        state.clear_run([state.intake])
        assert key.exists()
        assert not hostname_file(state.intake).exists()
        assert not state.control_socket.exists()


@pytest.mark.parametrize("length", [3, 200])
def test_the_control_socket_fits_into_sun_path(tmp_path: Path, length: int) -> None:
    with open_state(tmp_path / ("é" * length)[:120]) as state:
        folder = state.control_socket.parent
        assert len(str(state.control_socket).encode()) <= 107
        assert mode(folder) == 0o700
        assert (folder == state.root) is (length == 3)
    assert state.root.exists()
    assert folder.exists() is (length == 3)


def test_a_file_in_the_way_is_our_error(tmp_path: Path) -> None:
    (tmp_path / "tor").touch()
    with pytest.raises(SettingError), open_state(tmp_path / "tor"):
        pass


def test_a_private_file_is_private_also_if_it_was_there(tmp_path: Path) -> None:
    path = tmp_path / "torrc"
    path.write_text("old")
    path.chmod(0o644)
    write_private(path, "new")
    assert (mode(path), path.read_text()) == (0o600, "new")
