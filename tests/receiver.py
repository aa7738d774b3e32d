"""A local HTTP server that is called by a webhook under test, and answers what it is told to."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Receiver:
    """Remembers every call. `answers` are the statuses of the first ones, then 200; None: no answer until the end."""

    url: str
    answers: list[int | None] = field(default_factory=list)
    calls: list[dict[str, Any]] = field(default_factory=list)
    raw: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def events(self) -> list[str]:
        """What was told, in the order of the calls."""
        return [call["event"] for call in self.calls]


@contextmanager
def receiving(*answers: int | None) -> Iterator[Receiver]:
    """A receiver for as long as the block lasts."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            receiver.calls.append(json.loads(body))
            receiver.raw.append(f"{self.requestline}\n{self.headers}\n{body}")
            status = receiver.answers.pop(0) if receiver.answers else 200
            if status is None:
                receiver.over.wait()
                return
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver = Receiver(f"http://127.0.0.1:{server.server_port}/hook", list(answers))
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.over.set()
        server.shutdown()
        server.server_close()
        thread.join()
