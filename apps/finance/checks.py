"""Finance data that nobody could reckon by is an error at start."""

from __future__ import annotations

from typing import Any

from django.core.checks import Error, register

from apps.finance import config


@register()
def finance_data(app_configs: Any, **kwargs: Any) -> list[Error]:
    """Parse every file under `fixtures/finance`."""
    try:
        config.estimate_rules()
        config.chart_of("")
        config.return_meanings()
    except (config.WrongData, KeyError, ValueError, TypeError, ArithmeticError) as error:
        return [Error(f"fixtures/finance: {error}", id="finance.E001")]
    return []
