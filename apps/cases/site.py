"""The one admin site. Lists are filled by the apps' `admin.py`, pages by `cases.pages.add_page`."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.sites import UnfoldAdminSite

from apps.accounts.actors import actor_of
from apps.cases.pages import PAGES, Page

SECTIONS = ("work", "desk", "manage")


class ClaimsAdminSite(UnfoldAdminSite):
    """*My work* is the landing page; the case page and its forms stand beside the lists."""

    def get_urls(self) -> list[URLPattern | URLResolver]:
        from apps.cases import urls

        own = urls.patterns(self)
        added = [path(page.path, self.admin_view(_guarded(page)), name=page.name) for page in PAGES.values()]
        return [*own, *added, *super().get_urls()]

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        from apps.cases.views import my_work

        return my_work(request)

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[dict[str, Any]]:
        """Asked for several times a page; the permissions behind it are worked out once."""
        kept: dict[str | None, list[dict[str, Any]]] = request.__dict__.setdefault("_claims_app_list", {})
        if app_label not in kept:
            kept[app_label] = super().get_app_list(request, app_label)
        return kept[app_label]


def _guarded(page: Page) -> Any:
    """A page asks for its roles before anything else, and shows a refusal in words."""
    from apps.cases.views import refused

    def view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not page.open_to(actor_of(request)):
            return refused(request, page.roles)
        return page.view(request, *args, **kwargs)

    view.__name__ = f"{page.name}_page"
    return view


site = ClaimsAdminSite()


# --- Sidebar ---------------------------------------------------------------------------------


APP_TITLES = {
    "accounts": gettext_lazy("People and rights"), "cases": gettext_lazy("Cases and clocks"), "claims": gettext_lazy("Claims"),
    "core": gettext_lazy("Imports"), "documents": gettext_lazy("Papers and letters"), "messaging": gettext_lazy("Messages"),
    "payments": gettext_lazy("Payments"), "ledger": gettext_lazy("Books"), "members": gettext_lazy("Members and policies"),
    "quality": gettext_lazy("Quality"), "hospitals": gettext_lazy("Hospitals and networks"), "products": gettext_lazy("Handbooks and plans"),
}  # fmt: skip


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The sidebar of this person: their pages by section, then the lists they may read."""
    actor = actor_of(request)
    titles = {"work": None, "desk": _("Desks"), "manage": _("Management")}
    groups: list[dict[str, Any]] = []
    for section in SECTIONS:
        items = [_item(page) for page in _pages(section) if page.open_to(actor)]
        if section == "work":
            items.insert(
                0,
                {"title": _("My work"), "icon": "inbox", "link": reverse("admin:index"), "active": _on_work},
            )
        if items:
            groups.append({"title": titles[section], "separator": section != "work", "items": items})
    return [*groups, *_lists(request)]


def _pages(section: str) -> list[Page]:
    shown = [page for page in PAGES.values() if page.section == section and page.title]
    return sorted(shown, key=lambda page: (page.order, page.name))


def _item(page: Page) -> dict[str, Any]:
    link = reverse(f"admin:{page.name}")
    return {
        "title": str(page.title),
        "icon": page.icon,
        "link": link,
        "active": lambda request: request.path == link,
    }


def _on_work(request: HttpRequest) -> bool:
    work = reverse("admin:index")
    return request.path == work or request.path.startswith(f"{work}case/")


def _lists(request: HttpRequest) -> list[dict[str, Any]]:
    """Every model this person may look at, folded by app."""
    groups: list[dict[str, Any]] = []
    for app in site.get_app_list(request):
        items = [
            {"title": str(model["name"]), "link": model["admin_url"], "icon": "list"}
            for model in app["models"]
            if model.get("admin_url")
        ]
        if items:
            title = str(APP_TITLES.get(app["app_label"], app["name"]))
            groups.append({"title": title, "collapsible": True, "separator": not groups, "items": items})
    return groups
