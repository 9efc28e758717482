"""Makes the worker know the import task, wherever Celery looks for the tasks of this app."""

from apps.core.imports.tasks import run_import as run_import
