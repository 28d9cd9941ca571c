# SPDX-License-Identifier: GPL-2.0-only
"""A headless Chromium, driven through its debugging protocol over a pair of pipes.

No port, no display, no package beyond Chromium's own: it reads commands from descriptor 3 and writes
answers and events to descriptor 4, each a JSON text that ends with a zero byte.
"""
import base64
import fcntl
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ANSWER_LIMIT_S = 120
OPTIONS = ("--headless=new", "--remote-debugging-pipe", "--no-first-run", "--disable-gpu",
           "--disable-dev-shm-usage", "--hide-scrollbars", "--disable-background-networking",
           "--disable-component-update", "--disable-sync", "--disable-extensions",
           "--force-color-profile=srgb", "--font-render-hinting=none",
           # Its sandbox refuses root, and some containers; what it is shown are the tests' own files.
           "--no-sandbox")


def find_program():
    """The path of a Chromium, or None."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


class BrowserError(Exception):
    pass


class Browser:
    """One Chromium with one page.

    messages: what the page's console and the browser's own log said; requests: the addresses that
    the page asked for.
    """

    def __init__(self, program):
        self.profile = tempfile.mkdtemp(prefix="browser-")
        near_commands, self.commands = os.pipe()
        self.answers, near_answers = os.pipe()
        # Out of the way of 3 and 4, which the shell below makes of them.
        commands = fcntl.fcntl(near_commands, fcntl.F_DUPFD, 10)
        answers = fcntl.fcntl(near_answers, fcntl.F_DUPFD, 10)
        arguments = [program, *OPTIONS, "--user-data-dir=" + self.profile, "about:blank"]
        with open(os.path.join(self.profile, "log"), "wb") as log:
            self.process = subprocess.Popen(
                ["bash", "-c", f'exec "$@" 3<&{commands} 4>&{answers} {commands}<&- {answers}>&-',
                 "bash", *arguments],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=(commands, answers),
                start_new_session=True)
        for descriptor in (near_commands, commands, near_answers, answers):
            os.close(descriptor)
        self.unread, self.number, self.session = b"", 0, None
        self.messages, self.requests, self.events = [], [], []
        try:
            target = self.command("Target.createTarget", url="about:blank")["targetId"]
            self.session = self.command("Target.attachToTarget", targetId=target,
                                        flatten=True)["sessionId"]
            for domain in ("Page", "Runtime", "Log", "Network"):
                self.command(domain + ".enable")
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        for descriptor in (self.commands, self.answers):
            os.close(descriptor)
        # Its helpers are in its process group, and end with it.
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        shutil.rmtree(self.profile, ignore_errors=True)

    def _receive(self, end):
        """The next message from the browser."""
        while b"\0" not in self.unread:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.answers], [], [], left)[0]:
                raise BrowserError(f"no answer from the browser in {ANSWER_LIMIT_S} s")
            part = os.read(self.answers, 1 << 20)
            if not part:
                raise BrowserError("the browser ended: " + self._last_words())
            self.unread += part
        text, self.unread = self.unread.split(b"\0", 1)
        return json.loads(text)

    def _last_words(self):
        with open(os.path.join(self.profile, "log"), errors="replace") as log:
            return log.read()[-1000:]

    def _note(self, event):
        parameters = event.get("params", {})
        if event["method"] == "Runtime.consoleAPICalled":
            self.messages.append(str([value.get("value") for value in parameters["args"]]))
        elif event["method"] == "Runtime.exceptionThrown":
            self.messages.append(str(parameters["exceptionDetails"].get("text")))
        elif event["method"] == "Log.entryAdded":
            self.messages.append(parameters["entry"]["text"])
        elif event["method"] == "Network.requestWillBeSent":
            self.requests.append(parameters["request"]["url"])
        self.events.append(event["method"])

    def command(self, method, **parameters):
        """Sends a command of the protocol and returns its result."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.commands, data):]
        end = time.monotonic() + ANSWER_LIMIT_S
        while True:
            answer = self._receive(end)
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise BrowserError(f"{method}: {answer['error']['message']}")
                return answer["result"]
            if "method" in answer:
                self._note(answer)

    def look(self, width, height, scheme="light", media="screen", scale=1):
        """The size of the window and what the style's media queries see."""
        self.command("Emulation.setDeviceMetricsOverride", width=width, height=height,
                     deviceScaleFactor=scale, mobile=width < 600)
        self.command("Emulation.setEmulatedMedia", media=media,
                     features=[{"name": "prefers-color-scheme", "value": scheme}])

    def open(self, path):
        """Loads a file and waits until all of it is there."""
        self.messages, self.requests, self.events = [], [], []
        result = self.command("Page.navigate", url="file://" + os.path.abspath(path))
        if result.get("errorText"):
            raise BrowserError(f"{path}: {result['errorText']}")
        end = time.monotonic() + ANSWER_LIMIT_S
        while "Page.loadEventFired" not in self.events:
            event = self._receive(end)
            if "method" in event:
                self._note(event)

    def evaluate(self, expression):
        """The value of a JavaScript expression in the page; the page's own policy does not apply."""
        result = self.command("Runtime.evaluate", expression=expression, returnByValue=True,
                              awaitPromise=True)
        if "exceptionDetails" in result:
            raise BrowserError(str(result["exceptionDetails"]))
        return result["result"].get("value")

    def screenshot(self, whole_page=False):
        """A PNG of what the window shows, or of the whole page."""
        parameters = {"captureBeyondViewport": True} if whole_page else {}
        if whole_page:
            size = self.command("Page.getLayoutMetrics")["cssContentSize"]
            parameters["clip"] = {"x": 0, "y": 0, "width": size["width"],
                                  "height": min(size["height"], 16000), "scale": 1}
        return base64.b64decode(self.command("Page.captureScreenshot", format="png",
                                             **parameters)["data"])

    def print_to_pdf(self):
        return base64.b64decode(self.command("Page.printToPDF", printBackground=False,
                                             paperWidth=8.27, paperHeight=11.69)["data"])
