"""`/api/v1/`: every app that has an `api` module with `register(router)` adds its views here."""

from importlib import import_module
from importlib.util import find_spec

from django.apps import apps
from rest_framework.routers import DefaultRouter

router = DefaultRouter()
router.include_format_suffixes = False


def collect(router: DefaultRouter) -> None:
    for config in apps.get_app_configs():
        if not config.name.startswith("apps.") or find_spec(f"{config.name}.api") is None:
            continue
        register = getattr(import_module(f"{config.name}.api"), "register", None)
        if register is not None:
            register(router)


collect(router)
urlpatterns = router.urls
