"""A way to the cloud's own APIs out of a network that has nothing else: a listening socket that somebody outside accepts on.

A socket belongs to the network that it was made in, whoever has it: the launcher makes it inside, and hands it out.
"""

from __future__ import annotations

import fcntl
import socket
import struct

SIOCGIFFLAGS, SIOCSIFFLAGS = 0x8913, 0x8914
IFF_UP = 1
BACKLOG = 64


def offer(descriptor: int, port: int) -> None:
    """Listen on a port of this network's loopback, and send the listening socket to whoever has the other end of ``descriptor``.

    Raises:
        OSError: this machine does not allow it.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        request = struct.pack("16sH14x", b"lo", 0)
        (flags,) = struct.unpack_from("H", fcntl.ioctl(asking, SIOCGIFFLAGS, request), 16)
        fcntl.ioctl(asking, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", flags | IFF_UP))
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listening, socket.socket(fileno=descriptor) as outside:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", port))
        listening.listen(BACKLOG)
        socket.send_fds(outside, [b"."], [listening.fileno()])
