"""Errors of the pure core. Adapters above turn them into the house's error family."""


class AdjudicationError(Exception):
    """Something handed to the core cannot be worked with."""


class HandbookError(AdjudicationError):
    """A handbook text breaks its schema: where, what stood there, what was expected."""

    def __init__(self, where: str, value: object, expected: str):
        self.where, self.value, self.expected = where, value, expected
        super().__init__(f"{where}: {value!r}; expected {expected}")


class FactsError(AdjudicationError):
    """Facts contradict their schema: path, value, expectation."""

    def __init__(self, path: str, value: object, expected: str):
        self.path, self.value, self.expected = path, value, expected
        super().__init__(f"{path}: {value!r}; expected {expected}")
