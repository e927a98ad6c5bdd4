"""HTTPS on loopback: the standard library's server with TLS 1.2 and 1.3."""

from __future__ import annotations

import logging
import socket
import ssl
import struct
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Condition
from typing import Any, Final

from ucm_analytics.simulator.api import Api, Reply, track_id

_log = logging.getLogger(__name__)

MAX_BODY: Final = 1_000_000
_HANDSHAKE_TIMEOUT_S: Final = 10.0
_CLOSING_S: Final = 2.0
_RESET: Final = struct.pack("ii", 1, 0)


class ApiServer(ThreadingHTTPServer):
    """Serves one API.

    Parameters
    ----------
    port : int
        0 lets the system choose.

    Raises
    ------
    OSError
        The port is taken or may not be used.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, api: Api, port: int, certificate: Path, key: Path) -> None:
        self.api = api
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.minimum_version = ssl.TLSVersion.TLSv1_2
        self._tls.load_cert_chain(certificate, key)
        self._connections: set[ssl.SSLSocket] = set()
        self._changed = Condition()
        super().__init__(("127.0.0.1", port), _Handler)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        # the handshake belongs to this thread: a client that stalls must not keep others from connecting
        request.settimeout(_HANDSHAKE_TIMEOUT_S)
        try:
            secured = self._tls.wrap_socket(request, server_side=True)
        except OSError as error:
            _log.debug("TLS handshake failed: %s", error)
            request.close()
            return
        with self._changed:
            self._connections.add(secured)
        try:
            super().process_request_thread(secured, client_address)
        finally:
            with self._changed:
                self._connections.discard(secured)
                self._changed.notify_all()

    def shutdown_request(self, request: Any) -> None:
        if request.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, len(_RESET)) == _RESET:
            self.close_request(request)
        else:
            super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        if isinstance(sys.exception(), OSError):
            _log.debug("connection ended", exc_info=True)
        else:
            _log.exception("the simulator failed to answer")

    def close_connections(self) -> None:
        """End the connections that clients keep alive, and wait for their threads."""
        with self._changed:
            for connection in self._connections:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError as error:
                    _log.debug("connection was closed already: %s", error)
            self._changed.wait_for(lambda: not self._connections, timeout=_CLOSING_S)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 120
    # one TLS record and one packet for headers and body, not one for each line
    wbufsize = -1
    disable_nagle_algorithm = True
    server: ApiServer

    def do_POST(self) -> None:
        body = self._body()
        self._send(self.server.api.handle(self.command, self.path, body, self.client_address[0]))

    do_GET = do_PUT = do_DELETE = do_POST  # noqa: N815

    def version_string(self) -> str:
        return "UCM"

    def log_message(self, format: str, *args: Any) -> None:
        _log.debug(format, *args)

    def _body(self) -> bytes:
        """Body of the request; of one that is too long, or not well formed, nothing more is read."""
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            return self._chunks()
        length = self.headers.get("Content-Length") or "0"
        if length.isdecimal() and int(length) <= MAX_BODY:
            return self.rfile.read(int(length))
        self.close_connection = True
        return b""

    def _chunks(self) -> bytes:
        body = b""
        while True:
            line = self.rfile.readline(100).partition(b";")[0].strip()
            size = int(line, 16) if line and not line.strip(b"0123456789abcdefABCDEF") else None
            if size is None or size + len(body) > MAX_BODY:
                self.close_connection = True
                return b""
            body += self.rfile.read(size)
            self.rfile.readline()
            if size == 0:
                return body

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.http_status)
        self.send_header("Content-Type", reply.content_type)
        self.send_header("Content-Length", str(len(reply.body)))
        self.send_header("Set-Cookie", f"TRACKID={track_id()}; HttpOnly; Secure")
        if self.close_connection or reply.reset:
            self.send_header("Connection", "close")
        self.end_headers()
        if reply.reset:
            self.wfile.write(reply.body[: len(reply.body) // 2])
            self.wfile.flush()
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self.close_connection = True
        else:
            self.wfile.write(reply.body)
