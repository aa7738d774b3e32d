"""A network between the runner and a server that can fall silent, and a server that can refuse.

Silence is real: the kernel is told to drop whatever comes in from the client, so that not even acknowledgements go
back. It takes TCP, as the timeouts do that are to notice it.
"""

from __future__ import annotations

import contextlib
import ctypes
import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from psycopg.conninfo import conninfo_to_dict, make_conninfo

COMMIT = b"Q\x00\x00\x00\x0bCOMMIT\x00"
NOTHING = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))  # a BPF program: let 0 bytes through
ATTACH_FILTER = 26  # SO_ATTACH_FILTER of Linux
QUICK = {"keepalives_idle": 1, "keepalives_interval": 1, "keepalives_count": 2, "tcp_user_timeout": 2000}

When = Literal["request", "reply", "after"]


@dataclass(slots=True)
class Network:
    """Passes everything on. At the COMMITs whose numbers are in `silent`, counted from 1, a connection falls silent.

    `when`: before the COMMIT arrives, before its reply does, or `after` it. `refuse`: as long as it holds a SQLSTATE,
    connections are refused with it.
    """

    server: str
    silent: frozenset[int] = frozenset()
    when: When = "reply"
    refuse: str = ""
    commits: int = 0
    refused: int = 0
    quiet: list[socket.socket] = field(default_factory=list)  # sockets that nothing passes any more
    lock: threading.Lock = field(default_factory=threading.Lock)

    def serve(self, listener: socket.socket) -> None:
        """Take connections until the listener is closed."""
        with contextlib.suppress(OSError):
            while True:
                client = listener.accept()[0]
                threading.Thread(target=self._connect, args=(client,), daemon=True).start()

    def _connect(self, client: socket.socket) -> None:
        if self.refuse:
            self.refused += 1
            client.recv(65536)
            said = b"SFATAL\0VFATAL\0C" + self.refuse.encode() + b"\0Mnot now\0\0"
            client.sendall(b"E" + struct.pack("!I", len(said) + 4) + said)
            client.close()
            return
        server = socket.socket(socket.AF_UNIX)
        with contextlib.suppress(OSError):
            server.connect(self.server)
            back = threading.Event()
            threading.Thread(target=self._back, args=(client, server, back), daemon=True).start()
            while data := client.recv(65536):
                if COMMIT in data and self._is_silent():
                    if self.when == "after":
                        back.set()
                    else:
                        self._hush(client, server)
                    if self.when == "request":
                        return
                server.sendall(data)
        if client not in self.quiet:
            _end(client, server)

    def _back(self, client: socket.socket, server: socket.socket, last: threading.Event) -> None:
        """What the server says; when `last` is set, it is the last that is heard of it."""
        with contextlib.suppress(OSError):
            while data := server.recv(65536):
                if client in self.quiet:
                    return
                client.sendall(data)
                if last.is_set():
                    self._hush(client, server)
                    return
        if client not in self.quiet:
            _end(client, server)

    def _is_silent(self) -> bool:
        with self.lock:
            self.commits += 1
            return self.commits in self.silent

    def _hush(self, client: socket.socket, server: socket.socket) -> None:
        self.quiet += [client, server]
        program = struct.pack("HL", 1, ctypes.addressof(NOTHING))
        client.setsockopt(socket.SOL_SOCKET, ATTACH_FILTER, program)


def _end(*sockets: socket.socket) -> None:
    for end in sockets:
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def network(conninfo: str, silent: frozenset[int] = frozenset(), when: When = "reply") -> Iterator[tuple[str, Network]]:
    """How to reach a database over this network, noticing silence within about three seconds."""
    fields = conninfo_to_dict(conninfo)
    between = Network(f"{fields['host']}/.s.PGSQL.{fields['port']}", silent, when)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=between.serve, args=(listener,), daemon=True).start()
        port = listener.getsockname()[1]
        off = {"sslmode": "disable", "gssencmode": "disable"}
        yield make_conninfo(conninfo, host="127.0.0.1", port=port, **QUICK, **off), between
        listener.shutdown(socket.SHUT_RDWR)
        for end in between.quiet:
            end.close()
