"""The state folder: one owner at a time, a token that stays, and clear words when it can't be had."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from forewarn.model.errors import Busy, NotFound, StoreError
from forewarn.runtime.state_folder import StateFolder

OWNER = """
import sys, time
from pathlib import Path
from forewarn.runtime.state_folder import StateFolder
folder = StateFolder(Path(sys.argv[1])).own()
print("owned", flush=True)
sys.stdin.read()
folder.close()
"""


@pytest.fixture
def other(tmp_path):
    """A second, real process that owns tmp_path/state."""
    child = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tmp_path / "state")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout.readline() == "owned\n"
    yield child
    if child.poll() is None:
        child.kill()
    child.communicate()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize(
    ("environ", "path"), [({}, "var"), ({"FOREWARN_STATE": ""}, "var"), ({"FOREWARN_STATE": "/srv/f"}, "/srv/f")]
)
def test_where_it_is(environ, path):
    folder = StateFolder.named(environ)
    assert (folder.path, folder.ledger, folder.samples) == (Path(path), Path(path, "ledger.db"), Path(path, "samples.db"))


def test_naming_it_makes_nothing(tmp_path):
    folder = StateFolder(tmp_path / "state")
    with pytest.raises(NotFound, match="has no token yet; start forewarn once, or set FOREWARN_STATE"):
        folder.token()
    assert not folder.path.exists()


def test_the_first_owner_makes_it_for_himself_alone(tmp_path):
    folder = StateFolder(tmp_path / "a" / "state").own()
    assert mode(folder.path) == 0o700
    assert {path.name: mode(path) for path in folder.path.iterdir()} == {"lock": 0o600, "token": 0o600}
    assert len(folder.token().reveal()) == 43
    assert folder.lock_file.read_text() == f"{os.getpid()}\n"
    folder.close()


def test_the_token_stays_and_its_rights_are_put_right(tmp_path):
    first = StateFolder(tmp_path).own()
    token = first.token()
    first.close()
    first.token_file.chmod(0o644)
    second = StateFolder(tmp_path).own()
    assert second.token() == token
    assert mode(second.token_file) == 0o600
    second.close()
    assert token.reveal() not in repr(token)


def test_an_empty_token_is_made_anew(tmp_path):
    (tmp_path / "token").write_text("\n")
    (tmp_path / "token.new").write_text("left by a crash")
    folder = StateFolder(tmp_path).own()
    assert len(folder.token().reveal()) == 43
    assert not (tmp_path / "token.new").exists()
    folder.close()


def test_two_tokens_differ(tmp_path):
    folders = [StateFolder(tmp_path / name).own() for name in "ab"]
    assert folders[0].token() != folders[1].token()
    for folder in folders:
        folder.close()


def test_a_second_daemon_is_kept_off_and_told_by_whom(tmp_path, other, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Busy) as caught:
        StateFolder(Path("state")).own()
    assert str(caught.value) == f"another forewarn (pid {other.pid}) uses ./state; stop it or set FOREWARN_STATE"
    assert (tmp_path / "state" / "lock").read_text() == f"{other.pid}\n"


def test_what_the_owner_keeps_can_be_read_beside_him(tmp_path, other):
    assert len(StateFolder(tmp_path / "state").token().reveal()) == 43


@pytest.mark.parametrize("how", ["stops", "is killed"])
def test_an_owner_that_ends_in_whatever_way_leaves_it_free(tmp_path, other, how):
    if how == "is killed":
        other.send_signal(signal.SIGKILL)
    other.communicate()
    folder = StateFolder(tmp_path / "state").own()
    assert folder.lock_file.read_text() == f"{os.getpid()}\n"
    folder.close()


def test_in_one_process_too_there_is_one_owner(tmp_path):
    first, second = StateFolder(tmp_path).own(), StateFolder(tmp_path)
    with pytest.raises(Busy, match=rf"\(pid {os.getpid()}\)"):
        second.own()
    first.close()
    second.own().close()


def test_a_programme_that_the_daemon_starts_does_not_keep_the_lock(tmp_path):
    folder = StateFolder(tmp_path).own()
    script = "import sys; print('up', flush=True); sys.stdin.read()"
    argv = [sys.executable, "-c", script]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, close_fds=False) as child:
        assert child.stdout
        assert child.stdout.readline() == b"up\n"  # it runs its own programme by now
        folder.close()
        StateFolder(tmp_path).own().close()
        child.communicate()


@pytest.mark.parametrize("place", ["file", "file/below", "/proc/forewarn"])
def test_a_place_that_cannot_hold_it(tmp_path, place):
    (tmp_path / "file").write_text("")
    with pytest.raises(
        StoreError, match=r"can't hold forewarn's state \(.+\); give it to the user that runs forewarn, or set FOREWARN_STATE"
    ):
        StateFolder(tmp_path / place).own()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become somebody else to try this")
def test_a_folder_of_somebody_else(tmp_path):
    script = "import os, sys\nfrom pathlib import Path\nfrom forewarn.runtime.state_folder import StateFolder\n"
    script += "os.setgid(65534); os.setuid(65534)\ntry:\n    StateFolder(Path(sys.argv[1])).own()\nexcept Exception as error:\n    print(type(error).__name__, error)"
    theirs = tmp_path / "theirs"
    theirs.mkdir(mode=0o755)
    for folder in (tmp_path, *tmp_path.parents[:3]):
        if folder != Path("/tmp"):
            folder.chmod(0o755)
    said = subprocess.run([sys.executable, "-c", script, str(theirs)], capture_output=True, text=True, check=True).stdout
    assert said.startswith("StoreError") and "Permission denied" in said and "set FOREWARN_STATE to another folder" in said
