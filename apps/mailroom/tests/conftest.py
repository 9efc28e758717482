from apps.claims.tests.conftest import now, own_folders, world
from apps.mailroom.tests.imap_server import imap

__all__ = ["imap", "now", "own_folders", "world"]
