"""All addresses of the house."""

from allauth.account import views as account
from allauth.account.decorators import secure_admin_login
from django.conf import settings
from django.urls import include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from apps.cases.site import site
from claimsadmin.views import ReadyView, WorkersView, favicon, metrics

# The admin has no log-in of its own: allauth's knows rate limits and the second factor.
site.login = secure_admin_login(site.login)  # type: ignore[method-assign]

account_urls = [
    path("login/", account.login, name="account_login"),
    path("logout/", account.logout, name="account_logout"),
    path("inactive/", account.account_inactive, name="account_inactive"),
    path("reauthenticate/", account.reauthenticate, name="account_reauthenticate"),
    path("password/change/", account.password_change, name="account_change_password"),
    path("2fa/", include("allauth.mfa.urls")),
]

handler404 = "apps.core.api.page_not_found"
handler500 = "apps.core.api.server_error"

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index"), name="home"),
    path("admin/", site.urls),
    path("accounts/", include(account_urls)),
    path("api/v1/", include("claimsadmin.api")),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="api-docs"),
    path("files/", include("apps.documents.urls")),
    path("v/", include("apps.documents.public_urls")),
    path("card/", include("apps.cards.urls")),
    path("pay/", include("apps.billing.public_urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("health/", ReadyView.as_view(), name="health"),
    path("health/workers/", WorkersView.as_view(), name="health-workers"),
    path("metrics", metrics, name="metrics"),
    path("favicon.ico", favicon, name="favicon"),
]

if not settings.PRODUCTION:
    urlpatterns.append(path("webhook-receiver/", include("apps.webhooks.urls")))
