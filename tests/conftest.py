"""The whole house is tested on the world of the claims' tests."""

from apps.claims.tests.conftest import now, own_folders, world

__all__ = ["now", "own_folders", "world"]
