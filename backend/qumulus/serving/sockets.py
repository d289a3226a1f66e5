"""What the server listens on, and how it says why it can't."""

from __future__ import annotations

import errno
import os
import socket
import ssl
import sys
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from qumulus.settings import Settings

LISTEN_BACKLOG = 2048


def listen(host: str, port: int, flag: str) -> socket.socket:
    """A listening socket; a sentence that names the flag and exit status 1 where that can't be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    result = socket.socket(family, socket.SOCK_STREAM)
    try:
        _bind(result, host.strip("[]"), port)
    except OSError as error:
        result.close()
        unknown = isinstance(error, socket.gaierror)  # its numbers are not those of the system
        why = "there is no such host" if unknown else os.strerror(error.errno or 0).lower()
        which = "--host" if unknown or error.errno == errno.EADDRNOTAVAIL else flag
        stop(f"Can't listen on {host}:{port}: {why}. Choose another one with {which}.")
    result.listen(LISTEN_BACKLOG)
    result.set_inheritable(False)
    return result


def _bind(result: socket.socket, host: str, port: int) -> None:
    """Bind a socket to a port, by its number: one that was drawn is given away as soon as the socket no longer listens."""
    with socket.socket(result.family, socket.SOCK_STREAM) as drawn:
        drawn.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        result.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if port == 0 and sys.platform == "linux":
            drawn.bind((host, 0))
            port = drawn.getsockname()[1]
        result.bind((host, port))


def tls(settings: Settings) -> ssl.SSLContext | None:
    """What HTTPS is served with; a sentence and exit status 2 where the files can't be used. None: HTTP is served."""
    if settings.tls_certificate is None:
        if settings.tls_key is not None:
            stop("--tls-key needs --tls-certificate: name the certificate of that key.", 2)
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(settings.tls_certificate, settings.tls_key, password=_no_password)
    except (OSError, ssl.SSLError, ValueError) as error:
        why = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
        stop(
            f"HTTPS can't be served with {settings.tls_certificate}: {why}. Name a certificate and its key, as PEM.", 2
        )
    return context


def _no_password() -> str:
    """Nobody is asked for one at the start of a server.

    Raises:
        ValueError
    """
    raise ValueError("the key has a password")


def address(listener: socket.socket, scheme: str = "http") -> str:
    """The URL at which the server answers."""
    host, port = listener.getsockname()[:2]
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"{scheme}://{name}:{port}"


def tell(text: str) -> None:
    """Print for a person. Where nobody can read it, such as in a pipe that is closed, the server goes on all the same."""
    try:
        print(text, flush=True)  # noqa: T201
    except OSError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115  else Python tries once more at its end, and complains


def stop(sentence: str, status: int = 1) -> NoReturn:
    """End with a sentence for a person."""
    print(sentence, file=sys.stderr)  # noqa: T201
    raise SystemExit(status)
