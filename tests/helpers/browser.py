"""A headless Chromium, driven by the DevTools protocol over a pipe: what a page logs, requests and looks like."""

import base64
import json
import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager

EXECUTABLE = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chromium-browser")
LOGS = {"Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"}


class Page:
    """An open page. `logs` are its console messages, `requests` the addresses that it asked for beside its own."""

    def __init__(self, browser):
        self.browser, self.logs, self.requests = browser, [], []

    def open(self, path, width=1280, height=900, dark=False, media="screen", mobile=False):
        """Open a file and wait until it is loaded."""
        self.logs.clear()
        self.requests.clear()
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile}
        self.call("Emulation.setDeviceMetricsOverride", **metrics)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", media=media, features=[scheme])
        address = path.resolve().as_uri()
        self.call("Page.navigate", url=address)
        self.wait("Page.loadEventFired")
        self.evaluate("1")  # what the page logged has arrived before the answer
        own = [address, f"{address.rsplit('/', 1)[0]}/favicon.ico"]
        self.requests[:] = [url for url in self.requests if url not in own and not url.startswith("data:")]

    def evaluate(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def screenshot(self, path):
        """Write a PNG of the whole page."""
        result = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(result["data"]))

    def pdf(self, path):
        """Print the page as a PDF."""
        self.call("Emulation.setEmulatedMedia", media="print", features=[])
        result = self.call("Page.printToPDF", preferCSSPageSize=True, paperWidth=8.27, paperHeight=11.69)
        path.write_bytes(base64.b64decode(result["data"]))

    def call(self, method, **parameters):
        number = self.browser.send(method, parameters)
        while True:
            message = self._next()
            if message.get("id") == number:
                assert "error" not in message, message
                return message["result"]

    def wait(self, event):
        while self._next().get("method") != event:
            pass

    def _next(self):
        message = self.browser.receive()
        method, parameters = message.get("method"), message.get("params", {})
        if method in LOGS:
            self.logs.append(parameters)
        elif method == "Network.requestWillBeSent":
            self.requests.append(parameters["request"]["url"])
        return message


class Browser:
    """The process and its pipe."""

    def __init__(self, profile):
        to_browser, self._write = os.pipe()
        self._read, from_browser = os.pipe()
        options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run"]
        command = [EXECUTABLE, *options, "--remote-debugging-pipe", f"--user-data-dir={profile}", "about:blank"]
        command = [*command[:-1], "--disable-background-networking", command[-1]]

        def connect():
            first, second = os.dup(to_browser), os.dup(from_browser)  # 3 and 4 may be one of the two already
            os.dup2(first, 3)
            os.dup2(second, 4)

        self.process = subprocess.Popen(
            command, preexec_fn=connect, pass_fds=(3, 4), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        os.close(to_browser)
        os.close(from_browser)
        self._received, self._number, self.session = b"", 0, None

    def send(self, method, parameters):
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self.session is not None:
            message["sessionId"] = self.session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        return self._number

    def receive(self):
        while b"\0" not in self._received:
            more = os.read(self._read, 1 << 16)
            assert more, "Chromium has ended"
            self._received += more
        message, _, self._received = self._received.partition(b"\0")
        return json.loads(message)

    def close(self):
        os.close(self._write)
        self.process.terminate()
        self.process.wait(timeout=20)
        os.close(self._read)


@contextmanager
def new_page():
    """Context manager with a page of a new browser."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = Browser(profile)
        try:
            page = Page(browser)
            target = page.call("Target.createTarget", url="about:blank")["targetId"]
            browser.session = page.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
            for domain in ("Page", "Runtime", "Log", "Network"):
                page.call(f"{domain}.enable")
            yield page
        finally:
            browser.close()
