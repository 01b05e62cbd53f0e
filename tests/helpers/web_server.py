"""A web server on this machine whose faults a test chooses."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count

ETAGS = count()


class WebServer:
    """Serves one file, and records the requests for it."""

    def __init__(self, content: bytes) -> None:
        self.change(content)
        self.has_ranges, self.has_head, self.has_length, self.has_version = True, True, True, True
        self.breaks_after: list[int] = []  # bytes after which the next answers end
        self.statuses: list[int] = []  # of the next answers to GET
        self.redirect: str | None = None
        self.on_get = lambda: None
        self.requests: list[tuple[str, str | None]] = []  # method and range

    def change(self, content: bytes) -> None:
        """Replace the content."""
        self.content, self.etag = content, f'"{next(ETAGS)}"'


class _Handler(BaseHTTPRequestHandler):
    server: "_Server"

    def do_HEAD(self) -> None:
        web = self.server.web
        web.requests.append(("HEAD", None))
        if not web.has_head:
            self.send_error(405)
            return
        self._headers(200, len(web.content))

    def do_GET(self) -> None:
        web = self.server.web
        web.requests.append(("GET", self.headers.get("Range")))
        if web.redirect is not None:
            self.send_response(302)
            self.send_header("Location", web.redirect)
            self.end_headers()
            return
        if web.statuses:
            self.send_error(web.statuses.pop(0))
            return
        content, start = web.content, 0
        if web.has_ranges and "Range" in self.headers and self.headers.get("If-Range") in (None, web.etag):
            start = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
        if start >= len(content) > 0:
            self.send_error(416)
            return
        self._headers(206 if start else 200, len(content) - start, start)
        web.on_get()
        end = start + web.breaks_after.pop(0) if web.breaks_after else None
        self.wfile.write(content[start:end])

    def _headers(self, status: int, length: int, start: int = 0) -> None:
        web = self.server.web
        self.send_response(status)
        if web.has_length:
            self.send_header("Content-Length", str(length))
        if web.has_version:
            self.send_header("ETag", web.etag)
        if status == 206:
            self.send_header("Content-Range", f"bytes {start}-{len(web.content) - 1}/{len(web.content)}")
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        """Print nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, web: WebServer) -> None:
        self.web = web
        super().__init__(("127.0.0.1", 0), _Handler)


@contextmanager
def served(content: bytes, name: str = "file.tar"):
    """Context manager that serves a file; yields the server and its address."""
    web = WebServer(content)
    server = _Server(web)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield web, f"http://127.0.0.1:{server.server_port}/{name}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
