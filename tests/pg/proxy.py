"""A proxy between the runner and a server that misbehaves on purpose: a pooler, a network that loses a COMMIT."""

from __future__ import annotations

import contextlib
import socket
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo

COMMIT = b"Q\x00\x00\x00\x0bCOMMIT\x00"
KEY_DATA = b"K\x00\x00\x00\x0c"  # BackendKeyData of protocol 3.0: process id and secret


@dataclass(slots=True)
class Proxy:
    """Passes everything on, but for what it is told to spoil.

    `pooler`: the client is told a process id of the proxy's own. `lose` COMMITs: the reply is lost, or (`request`) the
    COMMIT itself; with it, both ends of the connection.
    """

    server: str
    pooler: bool = False
    lose: set[int] = field(default_factory=set)  # which COMMITs, counted from 1 over all connections
    request: bool = False
    commits: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def serve(self, listener: socket.socket) -> None:
        """Take connections until the listener is closed."""
        while True:
            try:
                client = listener.accept()[0]
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(self.server)
            cut = threading.Event()
            for here, there, to_server in ((client, server, True), (server, client, False)):
                threading.Thread(target=self._pump, args=(here, there, to_server, cut), daemon=True).start()

    def _pump(self, here: socket.socket, there: socket.socket, to_server: bool, cut: threading.Event) -> None:
        """Pass one direction on; `cut`: the next thing that the server says is not heard any more."""
        with contextlib.suppress(OSError):
            while data := here.recv(65536):
                if to_server and self._spoils(data):
                    cut.set()
                    if self.request:
                        break
                elif cut.is_set():
                    break
                there.sendall(data if to_server else self._patched(data))
        for end in (here, there):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _spoils(self, data: bytes) -> bool:
        with self.lock:
            self.commits += data.count(COMMIT)
            return COMMIT in data and self.commits in self.lose

    def _patched(self, data: bytes) -> bytes:
        at = data.find(KEY_DATA) if self.pooler else -1
        return data if at < 0 else data[: at + 5] + b"\x7f\xff\xff\xfe" + data[at + 9 :]


@contextlib.contextmanager
def proxied(conninfo: str, **spoiling: object) -> Iterator[tuple[str, Proxy]]:
    """How to reach the same database through a proxy."""
    fields = conninfo_to_dict(conninfo)
    with tempfile.TemporaryDirectory(prefix="transhume-", dir="/tmp") as folder:
        path = Path(folder) / ".s.PGSQL.5432"
        proxy = Proxy(f"{fields['host']}/.s.PGSQL.{fields['port']}", **spoiling)  # type: ignore[arg-type]
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            listener.listen()
            threading.Thread(target=proxy.serve, args=(listener,), daemon=True).start()
            yield make_conninfo(conninfo, host=folder), proxy
            listener.shutdown(socket.SHUT_RDWR)
