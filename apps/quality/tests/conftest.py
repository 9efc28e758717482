from apps.claims.tests.conftest import now, own_folders, world

__all__ = ["now", "own_folders", "world"]
