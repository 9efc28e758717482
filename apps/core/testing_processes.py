"""For tests: work of several processes at the same instant."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from typing import Any

from django.db import connections

from apps.core.errors import DomainError

PROCESSES = multiprocessing.get_context("fork")


def together(*works: Callable[[], Any]) -> list[str]:
    """Each work in a process of its own, let go at one moment; what each says."""
    gate, said = PROCESSES.Barrier(len(works)), PROCESSES.Queue()

    def run(work: Callable[[], Any]) -> None:
        connections.close_all()
        gate.wait(30)
        try:
            said.put(str(work()))
        except DomainError as error:
            said.put(error.code)
        finally:
            connections.close_all()

    connections.close_all()
    processes = [PROCESSES.Process(target=run, args=(work,)) for work in works]
    for process in processes:
        process.start()
    answers = [said.get(timeout=60) for _work in works]
    for process in processes:
        process.join(30)
    return answers
