"""Writes docs/schemas and checks docs/examples: `python -m apps.adjudication.tests.regenerate`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from apps.adjudication.serialize import decision_schema, facts_schema, schema_text

FOLDER = Path(__file__).resolve().parents[3] / "docs" / "schemas"


def schemas() -> Mapping[str, str]:
    """File name → text."""
    return {
        "facts.schema.json": schema_text(facts_schema()),
        "decision.schema.json": schema_text(decision_schema()),
    }


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in schemas().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
