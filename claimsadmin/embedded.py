"""Where the private servers of the embedded default listen, and how their address is spelled.

Standard library only: the start scripts use it before Django is configured.
"""

import hashlib
import os
from pathlib import Path

# A socket's path holds at most 107 bytes on Linux, 103 on macOS.
LONGEST_SOCKET_PATH = 100


def redis_socket(var_dir: Path) -> Path:
    """The unix socket of the private Redis-protocol server that belongs to this checkout.

    A checkout with a long path gets a short directory of its own under /tmp instead.
    """
    preferred = var_dir.resolve() / "redis.sock"
    if len(os.fsencode(preferred)) <= LONGEST_SOCKET_PATH:
        return preferred
    checkout = hashlib.sha256(os.fsencode(preferred)).hexdigest()[:12]
    return Path("/tmp") / f"claims-{os.getuid()}-{checkout}" / "redis.sock"


def redis_url(socket: Path) -> str:
    return f"unix://{socket}"


def broker_url(url: str) -> str:
    """The same server as Celery spells it: `unix:///a.sock` becomes `redis+socket:///a.sock`."""
    if not url.startswith("unix://"):
        return url
    path = url.removeprefix("unix://").partition("?")[0]
    return f"redis+socket://{path}?virtual_host=0"


def cache_url(url: str) -> str:
    """Database 1 of the same server: emptying the cache must never empty the task queue."""
    return f"{url.partition('?')[0]}?db=1"
