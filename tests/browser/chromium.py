"""A real Chromium, driven over the pipe of its own debugging protocol; nothing else has to be installed."""

import fcntl
import json
import os
import select
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.programs import need

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ANSWER_SECONDS_MAX = 60.0
PAUSE_SECONDS = 0.02


class Chromium:
    """One browser. A call to it answers with its result, and what it tells of itself meanwhile is kept."""

    def __init__(self, process: subprocess.Popen[bytes], commands: int, answers: int) -> None:
        self.process, self.commands, self.answers = process, commands, answers
        self.told: list[dict[str, Any]] = []
        self.number = 0
        self.rest = b""

    def call(self, method: str, session: str | None = None, **given: Any) -> dict[str, Any]:
        self.number += 1
        message = {"id": self.number, "method": method, "params": given} | ({"sessionId": session} if session else {})
        os.write(self.commands, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self.number:
                assert "error" not in answer, (method, answer)
                return dict(answer["result"])
            self.told.append(answer)

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self.rest:
            ready, _, _ = select.select([self.answers], [], [], ANSWER_SECONDS_MAX)
            assert ready, "the browser does not answer"
            part = os.read(self.answers, 1 << 20)
            assert part, "the browser has ended"
            self.rest += part
        message, _, self.rest = self.rest.partition(b"\0")
        return dict(json.loads(message))


@contextmanager
def started(folder: Path) -> Iterator[Chromium]:
    """A browser with a profile of its own in the folder, until the block ends."""
    program = need(*NAMES)
    (commands_out, commands_in), (answers_out, answers_in) = os.pipe(), os.pipe()
    # Out of the way of 3 and 4, where the browser looks for them.
    theirs = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (commands_out, answers_in)]

    def place() -> None:
        os.dup2(theirs[0], 3)
        os.dup2(theirs[1], 4)

    options = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-pipe")
    process = subprocess.Popen(
        [program, *options, f"--user-data-dir={folder}", "about:blank"],
        preexec_fn=place,
        pass_fds=(3, 4),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    for end in (commands_out, answers_in, *theirs):
        os.close(end)
    try:
        yield Chromium(process, commands_in, answers_out)
    finally:
        process.terminate()
        process.wait(30)
        os.close(commands_in)
        os.close(answers_out)


class Tab:
    """One page, in a context that shares nothing with others."""

    def __init__(self, browser: Chromium, width: int = 1280, scheme: str = "light", *, scripts: bool = True) -> None:
        self.browser = browser
        context = browser.call("Target.createBrowserContext")["browserContextId"]
        target = browser.call("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        self.session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.call("Emulation.setScriptExecutionDisabled", value=not scripts)

    def call(self, method: str, **given: Any) -> dict[str, Any]:
        return self.browser.call(method, self.session, **given)

    def open(self, address: str) -> None:
        self.call("Page.navigate", url=address)
        self.wait("document.readyState === 'complete' && location.href !== 'about:blank'")

    def value(self, expression: str) -> Any:
        """What a JavaScript expression comes to, as JSON has it; a promise is awaited."""
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def wait(self, expression: str) -> None:
        """Until the expression holds."""
        deadline = time.monotonic() + ANSWER_SECONDS_MAX
        while not self.value(expression):
            assert time.monotonic() < deadline, f"never came: {expression}"
            time.sleep(PAUSE_SECONDS)

    def press(self, key: str, *, code: int = 0, text: str = "", modifiers: int = 0) -> None:
        """A key of the keyboard, where the focus is. modifiers: 2 is Ctrl."""
        given = {"key": key, "code": key, "windowsVirtualKeyCode": code, "modifiers": modifiers}
        self.call("Input.dispatchKeyEvent", type="keyDown", text=text, **given)
        self.call("Input.dispatchKeyEvent", type="keyUp", **given)

    def type(self, text: str) -> None:
        self.call("Input.insertText", text=text)

    def told(self, method: str) -> list[dict[str, Any]]:
        """What the browser has told of this page."""
        return [
            each["params"]
            for each in self.browser.told
            if each.get("method") == method and each.get("sessionId") == self.session
        ]

    def requests(self) -> list[tuple[str, str]]:
        """Methods and addresses of what the page has asked for."""
        asked = [each["request"] for each in self.told("Network.requestWillBeSent")]
        return [(each["method"], each["url"]) for each in asked]

    def complaints(self) -> list[str]:
        """What the console has of errors, but for refusals that the service told."""
        logged = [each["entry"] for each in self.told("Log.entryAdded")]
        faults = [each["text"] for each in logged if each["level"] == "error" and each["source"] != "network"]
        return faults + [str(each["exceptionDetails"]) for each in self.told("Runtime.exceptionThrown")]
