"""Remote files: what servers say of them, and reading from an offset where that is possible."""

import io

import pytest
from web_server import served

from ftaug.data.remote.sources import FsspecFile, HttpFile, RemoteFile, source_of
from ftaug.errors import MissingInput, Unavailable

CONTENT = bytes(range(256)) * 4


@pytest.fixture
def web():
    with served(CONTENT) as (server, address):
        yield server, address


def read(source, offset, remote=None):
    with source.open(offset, remote or source.describe()) as (start, content):
        return start, content.read()


def test_size_and_version_of_a_file_on_a_web_server(web):
    server, address = web
    assert HttpFile(address).describe() == RemoteFile(1024, server.etag)
    server.has_head = False
    assert HttpFile(address).describe() == RemoteFile(1024, server.etag)
    server.has_length = server.has_version = False
    assert HttpFile(address).describe() == RemoteFile(None, "")


def test_reading_continues_only_where_the_server_has_ranges_and_the_same_version(web):
    server, address = web
    source = HttpFile(address)
    remote = source.describe()
    assert read(source, 0) == (0, CONTENT)
    assert read(source, 1000) == (1000, CONTENT[1000:])
    assert read(source, 2000) == (0, CONTENT), "more than there is"
    server.has_ranges = False
    assert read(source, 1000) == (0, CONTENT)
    server.has_ranges = True
    server.change(b"another")
    assert read(source, 3, remote) == (0, b"another")
    assert read(source, 3, RemoteFile(7, "")) == (0, b"another"), "without a version nothing says that it is the same"
    assert read(source, 3, RemoteFile(7, 'W/"1"')) == (0, b"another"), "a weak tag does not say that bytes are equal"


@pytest.mark.parametrize("status", [404, 410, 403, 401])
def test_a_missing_file_is_an_error_with_the_status(web, status):
    server, address = web
    server.has_head, server.statuses = False, [status]
    with pytest.raises(MissingInput, match=rf"{address}: cannot be downloaded \(HTTP {status} .*\); check the address"):
        read(HttpFile(address), 0, RemoteFile(1, ""))


@pytest.mark.parametrize("status", [429, 500, 503])
def test_others_may_pass(web, status):
    server, address = web
    server.statuses = [status]
    with pytest.raises(OSError, match=f"HTTP {status}"):
        read(HttpFile(address), 0)


def test_redirects_are_followed_but_not_away_from_encryption(web):
    from ftaug.data.remote.sources import Request, _Redirects

    server, address = web
    with served(b"there") as (_, other):
        server.redirect = other
        assert read(HttpFile(address), 0, RemoteFile(5, "")) == (0, b"there")
    with pytest.raises(MissingInput, match="https://a/b: redirects to http://c, which is not encrypted"):
        _Redirects().redirect_request(Request("https://a/b"), None, 302, "Found", {}, "http://c")


def test_files_of_other_protocols(tmp_path):
    fsspec = pytest.importorskip("fsspec")
    fsspec.filesystem("memory").pipe("/photos/a.tar", CONTENT)
    (tmp_path / "a.tar").write_bytes(CONTENT)
    for address in ("memory://photos/a.tar", f"file://{tmp_path}/a.tar"):
        source = source_of(address)
        remote = source.describe()
        assert isinstance(source, FsspecFile) and remote.size == 1024 and remote.version
        assert read(source, 0) == (0, CONTENT) and read(source, 1000) == (1000, CONTENT[1000:])
    for address in ("memory://photos/b.tar", f"file://{tmp_path}/b.tar"):
        with pytest.raises(MissingInput, match=f"{address}: there is no such file"):
            source_of(address).describe()


@pytest.mark.parametrize("moment", ["info", "open", "read"])
def test_errors_of_connections_that_a_library_names_itself(monkeypatch, moment):
    """aiohttp and botocore raise what is no OSError; such a download would end where it could be continued."""
    memory = type(pytest.importorskip("fsspec").filesystem("memory"))

    class ClientPayloadError(Exception):
        """As of aiohttp, when a connection ends early."""

    class NoCredentialsError(Exception):
        """As of botocore."""

    def raising(error):
        def method(*arguments, **options):
            raise error("not enough data")

        return method

    class Broken(io.BytesIO):
        read = raising(ClientPayloadError)

    source, remote = source_of("memory://photos/a.tar"), RemoteFile(1024, "1")
    memory().pipe("/photos/a.tar", CONTENT)
    if moment == "read":
        monkeypatch.setattr(memory, "open", lambda *arguments: Broken(CONTENT))
    else:
        monkeypatch.setattr(memory, moment, raising(ClientPayloadError))
    with pytest.raises(OSError, match="not enough data"):
        source.describe() if moment == "info" else read(source, 0, remote)
    monkeypatch.setattr(memory, "info", raising(NoCredentialsError))
    with pytest.raises(MissingInput, match=r"photos/a\.tar: cannot be read: not enough data"):
        source.describe()


def test_a_missing_package_or_protocol_is_named(monkeypatch):
    pytest.importorskip("fsspec")
    monkeypatch.setitem(__import__("sys").modules, "s3fs", None)
    with pytest.raises(Unavailable, match=r"^s3://bucket/a\.tar needs s3fs: pip install s3fs$"):
        source_of("s3://bucket/a.tar").describe()
    with pytest.raises(MissingInput, match=r"fsspec knows no protocol 'nothing://'"):
        source_of("nothing://a").describe()
    monkeypatch.setitem(__import__("sys").modules, "fsspec", None)
    with pytest.raises(Unavailable, match=r"needs fsspec: pip install 'ftaug\[remote\]'"):
        source_of("memory://a").describe()
