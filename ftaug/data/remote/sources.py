"""Describe and read remote files: over HTTP with Python's own client, of other protocols with fsspec."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from http.client import HTTPException, HTTPMessage
from importlib.util import find_spec
from typing import IO, Any, NamedTuple, Protocol
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from ftaug.errors import FtaugError, MissingInput, Unavailable, first_line, missing_extra

NETWORK_ERRORS = (OSError, HTTPException)
"""What a connection raises that may work the next time."""

_TIMEOUT = 60.0  # seconds without data
_BLOCK = 8 << 20  # bytes of a request, which is lost as a whole where a connection breaks
_TEMPORARY = (408, 425, 429, 500, 502, 503, 504)  # HTTP status codes
_WITHOUT_HEAD = (403, 405, 501)
_OF_CONNECTIONS = re.compile("Connection|Timeout|Payload|IncompleteRead|Streaming|Service(Request|Response)Error")
"""Names of what the libraries of services raise of connections: botocore, aiohttp, azure."""
_VERSION_KEYS = ("ETag", "etag", "md5Hash", "LastModified", "last_modified", "mtime", "created")


class RemoteFile(NamedTuple):
    """What a server says of a file."""

    size: int | None  # bytes
    version: str  # changes with the content; empty if the server says nothing of the kind


class Source(Protocol):
    """A remote file. Both methods raise MissingInput, or one of NETWORK_ERRORS."""

    def describe(self) -> RemoteFile:
        """Ask for size and version."""

    def open(self, offset: int, remote: RemoteFile) -> AbstractContextManager[tuple[int, IO[bytes]]]:
        """Context manager that yields the content from an offset on, and where it begins: 0 if that is not possible.

        It is not possible if the server cannot, or if the content is no longer of this version.
        """


def source_of(address: str) -> Source:
    """Return the file at an address; raises Unavailable for a protocol whose package is missing."""
    protocol = address.partition("://")[0]
    return HttpFile(address) if protocol in ("http", "https") else FsspecFile(address)


class _Redirects(HTTPRedirectHandler):
    """Follow redirects, but not from https to http."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        if req.full_url.startswith("https:") and not newurl.startswith("https:"):
            raise MissingInput(f"{req.full_url}: redirects to {newurl}, which is not encrypted; name that address")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


@dataclass(frozen=True)
class HttpFile:
    """A file on a web server."""

    address: str

    def describe(self) -> RemoteFile:
        """Ask for size and version."""
        try:
            response = self._request("HEAD", {})
        except HTTPError as error:
            if error.code not in _WITHOUT_HEAD:
                raise self._error(error) from None
            response = self._get({})
        with response:
            return _described(response.headers)

    @contextmanager
    def open(self, offset: int, remote: RemoteFile) -> Iterator[tuple[int, IO[bytes]]]:
        """Context manager that yields the content from an offset on, if the server supports ranges and versions."""
        can_continue = offset > 0 and remote.version and not remote.version.startswith("W/")
        headers = {"Range": f"bytes={offset}-", "If-Range": remote.version} if can_continue else {}
        with self._get(headers) as response:
            stated = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
            yield (int(stated[1]) if response.status == 206 and stated else 0), response

    def _get(self, headers: dict[str, str]) -> Any:
        try:
            return self._request("GET", headers)
        except HTTPError as error:
            if error.code == 416 and headers:  # the part is longer than the file
                return self._get({})
            raise self._error(error) from None

    def _request(self, method: str, headers: dict[str, str]) -> Any:
        address = self.address.partition("#")[0]
        request = Request(address, headers={"User-Agent": "ftaug", **headers}, method=method)
        return build_opener(_Redirects).open(request, timeout=_TIMEOUT)

    def _error(self, error: HTTPError) -> Exception:
        if error.code in _TEMPORARY:
            return OSError(f"HTTP {error.code} {error.reason}")
        reason = f"HTTP {error.code} {error.reason}"
        return MissingInput(f"{self.address}: cannot be downloaded ({reason}); check the address")


def _described(headers: HTTPMessage) -> RemoteFile:
    length = headers.get("Content-Length", "")
    version = headers.get("ETag") or headers.get("Last-Modified") or ""
    return RemoteFile(int(length) if length.isdigit() else None, version)


@dataclass(frozen=True)
class FsspecFile:
    """A file of a protocol that fsspec knows, such as s3:// with the package s3fs."""

    address: str

    def describe(self) -> RemoteFile:
        """Ask for size and version."""
        system, path = self._system()
        with self._errors():
            facts = system.info(path)
        version = next((str(facts[key]) for key in _VERSION_KEYS if facts.get(key)), "")
        return RemoteFile(facts.get("size"), version)

    @contextmanager
    def open(self, offset: int, remote: RemoteFile) -> Iterator[tuple[int, IO[bytes]]]:
        """Context manager that yields the content from an offset on."""
        system, path = self._system()
        with self._errors(), system.open(path, "rb", _BLOCK) as file:
            file.seek(offset)
            yield offset, file

    def _system(self) -> tuple[Any, str]:
        """Return the file system and the path in it."""
        try:
            import fsspec
            from fsspec.registry import known_implementations
        except ImportError:
            raise missing_extra(self.address, "fsspec", "remote") from None
        protocol = urlsplit(self.address).scheme
        try:
            with self._errors():
                return fsspec.core.url_to_fs(self.address)  # type: ignore[no-any-return]
        except ImportError:
            package = known_implementations[protocol]["class"].partition(".")[0]
            if find_spec(package) is not None:
                raise
            raise Unavailable(f"{self.address} needs {package}: pip install {package}") from None
        except ValueError:
            raise MissingInput(f"{self.address}: fsspec knows no protocol '{protocol}://'") from None

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Context manager that turns errors of a file system into those of a source."""
        try:
            yield
        except FileNotFoundError as error:
            raise MissingInput(f"{self.address}: there is no such file ({first_line(error)})") from None
        except (PermissionError, IsADirectoryError) as error:
            raise MissingInput(f"{self.address}: cannot be read: {first_line(error)}") from None
        except (FtaugError, ImportError, ValueError, *NETWORK_ERRORS):
            raise
        except Exception as error:  # of the service's library, which has types of its own
            if any(_OF_CONNECTIONS.search(kind.__name__) for kind in type(error).__mro__):
                raise OSError(first_line(error)) from None
            raise MissingInput(f"{self.address}: cannot be read: {first_line(error)}") from None
