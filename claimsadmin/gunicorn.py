"""Gunicorn: threads, because a page waits for the database more than it computes."""

import os
from typing import Any

bind = os.environ.get("BIND", f"0.0.0.0:{os.environ.get('PORT', '8000')}")
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = int(os.environ.get("WEB_THREADS", "6"))
timeout = 60
graceful_timeout = 20
max_requests = 5000
max_requests_jitter = 500
# One line a request is written by the application, with its request id; gunicorn's own would repeat it.
accesslog = None
control_socket_disable = True


def post_worker_init(worker: Any) -> None:
    from apps.core.memory import settle

    settle()


def child_exit(server: Any, worker: Any) -> None:
    """Fold the counters of a worker that ended into the shared ones (several workers, one /metrics)."""
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        from prometheus_client import multiprocess

        multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
