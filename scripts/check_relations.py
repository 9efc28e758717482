#!/usr/bin/env python3
"""Do foreign keys keep the order of the layers? `"members.Member"` as a string is an import, too.

The order is import-linter's (pyproject.toml), read from the top down.
"""

from __future__ import annotations

import os
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "claimsadmin.settings")

import django  # noqa: E402
from django.apps import apps  # noqa: E402
from django.conf import settings  # noqa: E402


def layers() -> list[str]:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contracts = config["tool"]["importlinter"]["contracts"]
    order: list[str] = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    return order


def upward_relations(order: list[str]) -> list[str]:
    """Each relation whose target stands above its model."""
    height = {name: -position for position, name in enumerate(order)}
    found = []
    for model in apps.get_models(include_auto_created=True):
        for field in model._meta.get_fields():
            target = getattr(field, "remote_field", None) and field.related_model
            # The user model is named by a setting on purpose.
            if (
                not isinstance(target, type)
                or field.auto_created
                or target._meta.label == settings.AUTH_USER_MODEL
            ):
                continue
            here, there = (apps.get_app_config(m._meta.app_label).name for m in (model, target))
            if here in height and there in height and height[there] > height[here]:
                found.append(f"{model._meta.label}.{field.name} points up to {target._meta.label}")
    return found


def main() -> int:
    django.setup()
    found = upward_relations(layers())
    print("\n".join(found) or "Every relation points down or stays in its layer.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
