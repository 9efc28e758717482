"""Keys for development: the same on every machine, hence worthless as secrets.

`CLAIMS_ENV=production` takes no default at all, and `check --deploy` refuses these (checks.py).
"""

import base64
import hashlib

DEVELOPMENT_KEY_ID = "dev"


def development_key(purpose: str) -> str:
    """32 bytes in base64, derived from nothing but the purpose."""
    digest = hashlib.sha256(f"claims back office, development only: {purpose}".encode()).digest()
    return base64.b64encode(digest).decode()


def is_development_key(key: str) -> bool:
    return any(development_key(purpose) in key for purpose in ("fields", "index", "api keys", "django"))
