"""Local copies of remote files: whole, checked, continued, downloaded once, and of the present version."""

import hashlib
import os
import signal
import time
from types import SimpleNamespace

import pytest
from processes import in_child
from web_server import served

from ftaug.data.remote import local_copy as module
from ftaug.data.remote.local_copy import local_copy
from ftaug.errors import BadData, ExperimentError, MissingInput

CONTENT = os.urandom(300_000)


@pytest.fixture
def web(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(module, "RETRY_SECONDS", (0.0, 0.0))
    monkeypatch.setattr(module, "_CHUNK", 1 << 12)
    monkeypatch.setattr(module, "_silent_servers", set())
    with served(CONTENT, "train-0.tar") as (server, address):
        yield server, address


def gets(server):
    return [place for method, place in server.requests if method == "GET"]


def partial_files(tmp_path):
    return [*tmp_path.rglob(".*.partial")]


def test_a_file_is_downloaded_once(web, tmp_path):
    server, address = web
    copy = local_copy(address)
    assert copy.name == "train-0.tar" and copy.read_bytes() == CONTENT
    assert local_copy(address) == copy and gets(server) == [None]
    assert partial_files(tmp_path) == []


def test_a_connection_that_ends_early_continues(web):
    server, address = web
    server.breaks_after = [100_000, 50_000]
    assert local_copy(address).read_bytes() == CONTENT
    assert gets(server) == [None, "bytes=100000-", "bytes=150000-"]


def test_without_ranges_it_begins_anew(web):
    server, address = web
    server.has_ranges, server.breaks_after = False, [100_000]
    assert local_copy(address).read_bytes() == CONTENT
    assert gets(server) == [None, "bytes=100000-"]


def test_errors_that_may_pass_are_repeated_until_there_is_no_progress(web):
    server, address = web
    server.statuses = [503, 500]
    assert local_copy(address).read_bytes() == CONTENT
    server.change(CONTENT[::-1])
    server.statuses = [503] * 9
    with pytest.raises(MissingInput, match=r"cannot be downloaded \(HTTP 503 .*\); the same command continues"):
        local_copy(address)


def test_a_killed_process_is_continued(web, tmp_path):
    server, address = web
    server.breaks_after = [100_000]

    def download():
        known = module._copy

        def counted(*arguments):
            known(*arguments)
            os.kill(os.getpid(), signal.SIGKILL)

        module._copy = counted
        local_copy(address)

    assert in_child(download) == -signal.SIGKILL
    (partial,) = partial_files(tmp_path)
    assert partial.stat().st_size == 100_000
    assert local_copy(address).read_bytes() == CONTENT
    assert gets(server) == [None, "bytes=100000-"]


def test_two_processes_download_once(web):
    server, address = web
    server.on_get = lambda: time.sleep(0.5)
    child = os.fork()
    if child == 0:
        os._exit(local_copy(address).read_bytes() != CONTENT)
    time.sleep(0.2)
    assert local_copy(address).read_bytes() == CONTENT
    assert os.waitpid(child, 0)[1] == 0 and gets(server) == [None]


def test_a_changed_file_is_downloaded_again_and_the_old_copy_stays(web):
    server, address = web
    before = local_copy(address)
    server.change(b"new")
    after = local_copy(address)
    assert after != before and after.read_bytes() == b"new" and before.read_bytes() == CONTENT


def test_a_part_of_an_old_version_is_not_continued(web):
    server, address = web
    server.breaks_after, server.statuses = [100_000], []
    server.on_get = lambda: server.statuses.extend([503] * 9) if not server.statuses else None
    with pytest.raises(MissingInput):
        local_copy(address)
    server.statuses, server.on_get = [], lambda: None
    server.change(CONTENT[::-1])
    assert local_copy(address).read_bytes() == CONTENT[::-1]


def test_a_change_during_the_download_is_an_error_and_leaves_nothing(web, tmp_path):
    server, address = web
    server.on_get = lambda: server.change(CONTENT)
    with pytest.raises(BadData, match="has changed while it was downloaded; run the same command again"):
        local_copy(address)
    assert partial_files(tmp_path) == [] and not [*tmp_path.rglob("*.tar")]


def test_the_digest_of_an_address_is_checked(web, tmp_path):
    _, address = web
    digest = hashlib.sha256(CONTENT).hexdigest()
    assert local_copy(f"{address}#sha256={digest}").read_bytes() == CONTENT
    with pytest.raises(BadData, match=rf"has the SHA-256 {digest}; expected 0000"):
        local_copy(f"{address}#sha256={'0' * 64}")
    assert partial_files(tmp_path) == []
    with pytest.raises(ExperimentError, match=r"behind # must be sha256= and 64 digits"):
        local_copy(f"{address}#md5=1")


def test_a_server_without_length_and_version(web):
    server, address = web
    server.has_length = server.has_version = False
    assert local_copy(address).read_bytes() == CONTENT


def test_a_copy_serves_while_the_server_cannot_be_reached(web, monkeypatch, capsys):
    _, address = web
    waits = []
    monkeypatch.setattr(module, "time", SimpleNamespace(sleep=waits.append, monotonic=time.monotonic))
    with served(CONTENT) as (_, gone):
        copy, other = local_copy(gone), local_copy(gone + "2")
    assert (local_copy(gone), local_copy(gone + "2")) == (copy, other) and len(waits) == 2  # one file is waited for
    error = capsys.readouterr().err
    assert error.count("cannot be reached (") == 1 and error.endswith("; copies in the cache are used\n")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert local_copy(gone) == copy and capsys.readouterr().err == ""
    with pytest.raises(MissingInput, match="is not in the cache, and --offline forbids to download it"):
        local_copy(address)
    monkeypatch.delenv("HF_HUB_OFFLINE")
    with pytest.raises(MissingInput, match=r"cannot be reached \(.*refused\); check the address and the network"):
        local_copy(gone.replace("file", "other"))


def test_files_of_fsspec(web, tmp_path):
    fsspec = pytest.importorskip("fsspec")
    fsspec.filesystem("memory").pipe("/photos/a.tar", CONTENT)
    (tmp_path / "a.tar").write_bytes(CONTENT)
    for address in ("memory://photos/a.tar", f"file://{tmp_path}/a.tar"):
        copy = local_copy(address)
        assert copy.is_relative_to(tmp_path / "cache") and copy.read_bytes() == CONTENT
    with pytest.raises(MissingInput, match=r"memory://photos/b\.tar: there is no such file"):
        local_copy("memory://photos/b.tar")
