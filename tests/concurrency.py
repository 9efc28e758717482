"""Work done at the same time, by threads and by processes with database connections of their own."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable
from typing import Any

from django.db import connections

PATIENCE = 60  # seconds


def in_threads(work: Callable[[int], Any], count: int) -> list[Any]:
    """Run `work(index)` in threads that start together; what one raises is raised here."""
    results: list[Any] = [None] * count
    ready = threading.Barrier(count)

    def run(index: int) -> None:
        try:
            ready.wait(PATIENCE)
            results[index] = work(index)
        except BaseException as error:
            results[index] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(index,), daemon=True) for index in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive(), "a thread never ended"
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return results


def in_processes(work: Callable[[int], Any], count: int) -> list[Any]:
    """The same in forked processes. Results must be small and picklable; the order is that of the indexes."""
    connections.close_all()
    fork = multiprocessing.get_context("fork")
    answers = fork.SimpleQueue()

    def run(index: int) -> None:
        connections.close_all()
        try:
            answers.put((index, work(index)))
        finally:
            connections.close_all()

    workers = [fork.Process(target=run, args=(index,), daemon=True) for index in range(count)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(PATIENCE)
    assert [worker.exitcode for worker in workers] == [0] * count
    return [answer for _index, answer in sorted(answers.get() for _ in workers)]
