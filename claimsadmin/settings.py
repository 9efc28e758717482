"""Settings: one file for development, tests and production, read from the environment.

CLAIMS_ENV says which house this is. `development` (the default) needs nothing: SQLite and a private
Redis-protocol server under var/. `test` is chosen by pytest itself. `production` has no default for
anything that matters: a missing variable stops the start and is named. All variables: .env.example.
"""

import logging
import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import django_stubs_ext
import environ
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from claimsadmin.embedded import broker_url, cache_url, redis_socket, redis_url
from claimsadmin.keys import DEVELOPMENT_KEY_ID, development_key
from claimsadmin.logs import configure_structlog, logging_config

django_stubs_ext.monkeypatch()  # ModelAdmin[Case], TextField[str, str]: generic at run time, too

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
CLAIMS_ENV: str = env.str("CLAIMS_ENV", default="test" if "pytest" in sys.modules else "development")
if CLAIMS_ENV not in {"development", "test", "production"}:
    raise environ.ImproperlyConfigured(f"CLAIMS_ENV is {CLAIMS_ENV!r}: development, test or production")
TESTING = CLAIMS_ENV == "test"
PRODUCTION = CLAIMS_ENV == "production"
if not TESTING:  # a developer's .env must never point the tests at a real database
    env.read_env(BASE_DIR / ".env")

VAR_DIR = Path(env.str("VAR_DIR", default=str(BASE_DIR / "var"))).resolve()
for folder in ("media", "mail", "static"):
    (VAR_DIR / folder).mkdir(parents=True, exist_ok=True)


def secret(name: str, development: str) -> str:
    """A secret has a well-known default everywhere but in production, where it has none."""
    return env.str(name) if PRODUCTION else env.str(name, default=development)


# --- The process --------------------------------------------------------------------------------------

DEBUG: bool = env.bool("DEBUG", default=False) and not PRODUCTION
SECRET_KEY = secret("SECRET_KEY", development_key("django"))
ALLOWED_HOSTS: list[str] = (
    env.list("ALLOWED_HOSTS")
    if PRODUCTION
    else env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]", "testserver"])
)
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[])
# Where people outside reach us: in the QR codes of letters, in e-mails, in webhooks.
PUBLIC_BASE_URL: str = (
    env.str("PUBLIC_BASE_URL")
    if PRODUCTION
    else env.str("PUBLIC_BASE_URL", default=f"http://127.0.0.1:{env.str('PORT', default='8000')}")
).rstrip("/")
ROOT_URLCONF = "claimsadmin.urls"
WSGI_APPLICATION = "claimsadmin.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "claimsadmin.apps.ProjectConfig",
    "unfold.apps.BasicAppConfig",  # our own admin site (ClaimsAdminConfig), not unfold's
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.inlines",
    "unfold.contrib.import_export",
    "claimsadmin.apps.ClaimsAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_filters",
    "import_export",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "django_htmx",
    "django_structlog",
    "django_prometheus",
    "health_check",
    "apps.core",
    "apps.accounts",
    "apps.products",
    "apps.hospitals",
    "apps.members",
    "apps.ledger",
    "apps.cases",
    "apps.messaging",
    "apps.webhooks",
    "apps.cards",
    "apps.documents",
    "apps.payments",
    "apps.authorizations",
    "apps.appointments",
    "apps.claims",
    "apps.enquiries",
    "apps.care",
    "apps.mailroom",
    "apps.advances",
    "apps.direct",
    "apps.settlements",
    "apps.billing",
    "apps.recoveries",
    "apps.appeals",
    "apps.quality",
    "apps.finance",
    "apps.dashboards",
]

MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "claimsadmin.middleware.ContentSecurityPolicyMiddleware",
    "claimsadmin.middleware.RequestSizeMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "claimsadmin.middleware.RequestLogMiddleware",
    "claimsadmin.middleware.RequestIdHeaderMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "apps.accounts.middleware.ActorMiddleware",
    "apps.accounts.middleware.SecondFactorMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
            ],
        },
    },
]

# --- Language and time --------------------------------------------------------------------------------

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
# unfold ships no translations; ours stand apart, so that makemessages does not call them obsolete.
LOCALE_PATHS = [BASE_DIR / "locale", BASE_DIR / "claimsadmin" / "unfold_locale"]
FORMAT_MODULE_PATH = "claimsadmin.formats"  # dates on the screens: 2026-10-09 14:30
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True

# --- Database -----------------------------------------------------------------------------------------


def database() -> dict[str, Any]:
    """The default connection with what each engine needs to be used by several processes at once."""
    config: dict[str, Any] = (
        env.db_url("DATABASE_URL")
        if PRODUCTION
        else env.db_url("DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'db.sqlite3'}")
    )
    if config.get("ENGINE") not in ("django.db.backends.sqlite3", "django.db.backends.postgresql"):
        raise environ.ImproperlyConfigured(
            "DATABASE_URL names no database: postgresql://user:password@host:5432/name, "
            "or sqlite:////absolute/path; without the variable, development uses var/db.sqlite3."
        )
    options = config.setdefault("OPTIONS", {})
    if config["ENGINE"] == "django.db.backends.sqlite3":
        # Without IMMEDIATE, four writers lose most of their transactions to "database is locked".
        pragmas = ["PRAGMA journal_mode=WAL", "PRAGMA foreign_keys=ON"]
        pragmas += ["PRAGMA synchronous=OFF"] if TESTING else []
        options |= {"transaction_mode": "IMMEDIATE", "timeout": 20, "init_command": ";".join(pragmas)}
        # Tests use a file: in shared memory SQLite locks by table and ignores the timeout.
        # One file a process, so that two runs in one checkout never share a database.
        own_file = VAR_DIR / f"test-{os.getpid()}.sqlite3"
        config["TEST"] = {"NAME": env.str("TEST_SQLITE_PATH", default=str(own_file))}
    else:
        size: int = env.int("DATABASE_POOL_SIZE", default=0 if TESTING else 8)
        if size:  # one pool a web process; workers and tests hold one connection each
            options["pool"] = {"min_size": 1, "max_size": size, "timeout": 10}
        else:
            config |= {"CONN_MAX_AGE": 0 if TESTING else 300, "CONN_HEALTH_CHECKS": True}
    return config


DATABASES = {"default": database()}
DATABASES["default"]["ATOMIC_REQUESTS"] = False  # with IMMEDIATE, every GET would be a writer

# --- Redis: task queue (database 0) and cache (database 1) ----------------------------------------------

REDIS_IS_EMBEDDED = not env.str("REDIS_URL", default="")
REDIS_URL: str = env.str("REDIS_URL") if PRODUCTION else env.str("REDIS_URL", default="")
REDIS_URL = REDIS_URL or redis_url(redis_socket(VAR_DIR))
CACHES: dict[str, Any] = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": env.str("CACHE_URL", default=cache_url(REDIS_URL)),
    }
}
if REDIS_IS_EMBEDDED:  # manage.py works with no server running; web and worker share the files
    CACHES["default"] = {
        "BACKEND": "claimsadmin.filecache.FileCache",
        "LOCATION": str(VAR_DIR / "cache"),
    }
if TESTING:
    CACHES["default"] = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}

CELERY_BROKER_URL = broker_url(REDIS_URL)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A task outlives the worker that held it: acknowledged after the work, redelivered when the worker dies.
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # Longer than the longest task; nothing is sent with an ETA, deadlines are found by the sweep.
    "visibility_timeout": int(timedelta(hours=1).total_seconds()),
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
}
CELERY_TASK_TIME_LIMIT = int(timedelta(minutes=50).total_seconds())
CELERY_TASK_SOFT_TIME_LIMIT = int(timedelta(minutes=45).total_seconds())
CELERY_TASK_IGNORE_RESULT = True  # progress and outcome of long work are rows in the database
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TIMEZONE = TIME_ZONE
CELERY_ENABLE_UTC = True
CELERY_WORKER_MAX_TASKS_PER_CHILD = 1000
CELERY_WORKER_PROC_ALIVE_TIMEOUT = 60  # seconds; a process loads the fonts of the letters when it starts
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "celerybeat-schedule")


def every(seconds: int, task: str) -> dict[str, Any]:
    """A sweep that expires with its interval: a stopped worker comes back to one sweep, not to a thousand."""
    return {"task": task, "schedule": seconds, "options": {"expires": seconds}}


CELERY_BEAT_SCHEDULE = {
    "sweep-bills": every(60, "apps.billing.tasks.sweep_bills"),
    "send-refunds": every(60, "apps.billing.tasks.send_refunds"),
    "sweep-clocks": every(30, "apps.cases.tasks.sweep_clocks"),
    "deliver-outbox": every(20, "apps.messaging.tasks.deliver_outbox"),
    "deliver-webhooks": every(20, "apps.webhooks.tasks.deliver_webhooks"),
    "forget-webhooks": every(86400, "apps.webhooks.tasks.forget_webhooks"),
    "poll-mailboxes": every(60, "apps.mailroom.tasks.poll_mailboxes"),
    "render-due-letters": every(30, "apps.documents.tasks.render_due_letters"),
    "remind-of-papers": every(86400, "apps.claims.tasks.remind_of_papers"),
    "render-due-statements": every(60, "apps.finance.tasks.render_due_statements"),
    "render-due-settlements": every(60, "apps.settlements.tasks.render_due_settlements"),
    "remind-of-settlements": every(86400, "apps.settlements.tasks.remind_of_settlements"),
    "close-without-papers": every(86400, "apps.claims.tasks.close_without_papers"),
    "expire-authorizations": every(3600, "apps.authorizations.tasks.expire_letters"),
    "letters-follow-cards": every(600, "apps.authorizations.tasks.follow_cards"),
    "close-paid-direct": every(3600, "apps.direct.tasks.close_paid"),
    "escalate-recoveries": every(3600, "apps.recoveries.tasks.escalate_overdue"),
    "mark-overdue-consults": every(60, "apps.care.tasks.mark_overdue_consults"),
    "remind-of-vaccinations": every(86400, "apps.care.tasks.remind_of_vaccinations"),
    "remind-of-unused-tests": every(86400, "apps.care.tasks.remind_of_unused_tests"),
    "remind-of-appointments": every(300, "apps.appointments.tasks.remind_of_appointments"),
    "sweep-appointments": every(600, "apps.appointments.tasks.sweep_appointments"),
    "decide-straight": every(300, "apps.quality.tasks.decide_straight"),
    "draw-samples": every(3600, "apps.quality.tasks.draw_samples"),
    "sweep-files": every(86400, "apps.documents.tasks.sweep_files"),
    "forget-idempotency-records": every(3600, "apps.core.tasks.forget_idempotency_records"),
}

# --- Accounts and log-in ------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = LOGIN_URL
ACCOUNT_ADAPTER = "claimsadmin.signin.StaffAccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_LOGOUT_REDIRECT_URL = LOGIN_URL
ACCOUNT_RATE_LIMITS: dict[str, str] | bool = {
    "login": "30/m/ip",
    "login_failed": "10/m/ip,5/5m/key",
    "change_password": "5/m/user",
    "reauthenticate": "10/m/user",
}
ALLAUTH_TRUSTED_PROXY_COUNT: int = env.int("TRUSTED_PROXY_COUNT", default=0)
REQUIRE_MFA: bool = env.bool("REQUIRE_MFA", default=PRODUCTION)
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "成长优享理赔"
MFA_TOTP_TOLERANCE = 1
MFA_ALLOW_UNVERIFIED_EMAIL = True  # addresses are entered by an administrator, nobody verifies them

SESSION_COOKIE_AGE = int(timedelta(hours=12).total_seconds())
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_EXPIRE_AT_BROWSER_CLOSE = True

# --- Keys of the encrypted fields ---------------------------------------------------------------------

# "id:base64" each, 32 bytes. The first one encrypts; all decrypt, so a key is rotated by putting a new one
# in front. The index key (blind index for look-ups) cannot be rotated without rebuilding the indexes.
FIELD_ENCRYPTION_KEYS: list[str] = [
    key.strip()
    for key in secret("FIELD_ENCRYPTION_KEYS", f"{DEVELOPMENT_KEY_ID}:{development_key('fields')}").split(",")
    if key.strip()
]
FIELD_INDEX_KEY = secret("FIELD_INDEX_KEY", development_key("index"))
API_KEY_PEPPER = secret("API_KEY_PEPPER", development_key("api keys"))

# --- Files, uploads, mail -----------------------------------------------------------------------------

MEDIA_ROOT = VAR_DIR / "media"
MEDIA_URL = "/media/"  # never served as such: every file goes through a view that knows who may see it
STATIC_ROOT = VAR_DIR / "static"
STATIC_URL = "/static/"
# Collected files have hashed names. `runserver` shows the sources as they are, and so does a process
# for which nobody has collected any yet; production never guesses.
COMMAND = sys.argv[1] if len(sys.argv) > 1 else ""
COLLECTED = PRODUCTION or (
    not TESTING
    and COMMAND != "runserver"
    and (COMMAND == "collectstatic" or (STATIC_ROOT / "staticfiles.json").exists())
)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if COLLECTED
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = not COLLECTED and not TESTING
FILE_UPLOAD_PERMISSIONS = 0o640

MEBIBYTE = 1024 * 1024
# A scan over this is refused by the form or the API with the file's name and both sizes ...
MAX_SCAN_BYTES = 50 * MEBIBYTE
# ... so a request must be let in with a larger one; beyond this it is refused unread.
MAX_REQUEST_BYTES = 80 * MEBIBYTE
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_REQUEST_BYTES
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000
DATA_UPLOAD_MAX_NUMBER_FILES = 200
FILE_UPLOAD_MAX_MEMORY_SIZE = 4 * MEBIBYTE

vars().update(env.email_url("EMAIL_URL", default=f"filemail:///{VAR_DIR / 'mail'}"))
DEFAULT_FROM_EMAIL: str = env.str("DEFAULT_FROM_EMAIL", default="claims@example.com")
SERVER_EMAIL = DEFAULT_FROM_EMAIL

# Mail that comes in. The handbooks say which mailboxes there are; here stands where each is read:
# "address=imaps://user:password@host:993/INBOX", separated by blanks or commas. Without any, and not in
# production, each is a folder under var/mailboxes/ into which one drops an .eml.
MAIL_ACCOUNTS: list[str] = env.str("MAIL_ACCOUNTS", default="").replace(",", " ").split()
MAIL_FOLDER = "" if PRODUCTION else str(VAR_DIR / "mailboxes")
MAIL_MAX_BYTES: int = env.int("MAIL_MAX_BYTES", default=60 * MEBIBYTE)
# The name with which the mail server signs its Authentication-Results. When set, only mail it found
# genuine (DMARC) is filed without a person; without it, what it found forged is not.
MAIL_AUTHENTICATION_SERVER: str = env.str("MAIL_AUTHENTICATION_SERVER", default="")

# --- Webhooks -----------------------------------------------------------------------------------------

# Addresses that are not public (private, loopback, link-local) are refused. Networks listed here may be
# called nevertheless: hospitals behind a private line; and, unless in production, this machine.
WEBHOOK_NETWORKS: list[str] = env.list(
    "WEBHOOK_NETWORKS", default=[] if PRODUCTION else ["127.0.0.0/8", "::1/128"]
)
WEBHOOK_ALLOW_HTTP = not PRODUCTION
WEBHOOK_TIMEOUT: float = env.float("WEBHOOK_TIMEOUT", default=10.0)  # seconds, for all of a request
WEBHOOK_CA_FILE: str = env.str("WEBHOOK_CA_FILE", default="")  # empty: the system's authorities

# --- API ----------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "apps.accounts.api.ApiKeyAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["apps.accounts.api.IsKnownActor"],
    "DEFAULT_PAGINATION_CLASS": "apps.core.api.StandardPagination",
    "DEFAULT_FILTER_BACKENDS": [
        "django_filters.rest_framework.DjangoFilterBackend",
        "apps.core.api_filters.WordFilter",
        "apps.core.api_filters.Ordering",
    ],
    "DEFAULT_SCHEMA_CLASS": "apps.accounts.schema.HouseSchema",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": [
        "rest_framework.parsers.JSONParser",
        "rest_framework.parsers.MultiPartParser",
        "rest_framework.parsers.FormParser",
    ],
    "DEFAULT_THROTTLE_CLASSES": [
        "claimsadmin.throttling.StrangerRateThrottle",
        "claimsadmin.throttling.ActorRateThrottle",
    ],
    "DEFAULT_THROTTLE_RATES": {"stranger": "60/min", "actor": "1200/min"},
    "NUM_PROXIES": ALLAUTH_TRUSTED_PROXY_COUNT,
    "EXCEPTION_HANDLER": "apps.core.api.exception_handler",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}

SPECTACULAR_SETTINGS = {
    "TITLE": "成长优享 claims API",
    "DESCRIPTION": "Claims of 成长优享 for hospitals, the TPA, providers and member front ends.",
    "VERSION": "1.0.0",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["apps.accounts.api.IsKnownActor"],
    "COMPONENT_SPLIT_REQUEST": True,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "ENUM_NAME_OVERRIDES": {  # several models have a field of this name
        "AppealResult": "apps.appeals.models.Result",
        "AppointmentLead": "apps.appointments.models.Appointment.Lead",
        "BenefitCode": "apps.adjudication.codes.BENEFITS",
        "BillPaymentKind": "apps.billing.models.BillPayment.Kind",
        "BillReminderChannel": "apps.billing.models.Channel",
        "BillState": "apps.adjudication.codes.BILL_STATES",
        "AdvanceNetwork": "apps.advances.models.Advance.Network",
        "AdvanceRedirect": "apps.advances.models.Advance.Redirect",
        "BookedBenefit": "apps.appointments.inputs.BOOKED_BENEFITS",
        "BookedVisitType": "apps.appointments.inputs.VISITS",
        "CardState": "apps.cards.models.CardState",
        "DeliveryState": "apps.webhooks.models.Delivery.State",
        "EmailState": "apps.mailroom.models.Email.State",
        "EndpointLanguage": "apps.webhooks.models.Endpoint.Language",
        "EndpointState": "apps.webhooks.models.Endpoint.State",
        "EnquirySort": "apps.enquiries.models.Sort",
        "HealthRecordKind": "apps.care.models.RecordKind",
        "IdType": "apps.members.models.IdType",
        "ItemCategory": "apps.adjudication.codes.ITEM_CATEGORIES",
        "LetterKind": "apps.documents.models.Letter.Kind",
        "LetterState": "apps.documents.models.Letter.State",
        "LineKind": "apps.adjudication.codes.LINE_KINDS",
        "OnlinePaymentState": "apps.billing.models.OnlinePayment.State",
        "PaperKind": "apps.adjudication.keys.PAPERS",
        "PlannedVisitType": "apps.authorizations.inputs.VISITS",
        "RecoveryReason": "apps.recoveries.models.Reason",
        "ReportChannel": "apps.adjudication.keys.CHANNELS",
        "SelfPayReason": "apps.billing.inputs.REASON_CHOICES",
        "SettlementState": "apps.settlements.models.Statement.State",
        "SupplementState": "apps.authorizations.models.Supplement.State",
        "TermsKind": "apps.settlements.models.PaymentTerms.Kind",
        "TermsUnit": "apps.settlements.models.PaymentTerms.Unit",
        "VisitType": "apps.adjudication.codes.VISIT_TYPES",
        "VoucherBatchState": "apps.finance.models.VoucherBatch.State",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "apps.cases.serializers.name_codes",
        "apps.core.schema.document_refusals",
    ],
}

# --- Self-pay bills: reminders and electronic payment ---------------------------------------------------

# Dotted path of a class like `apps.billing.gateway.Gateway`; the sandbox is for everything but production.
PAYMENT_GATEWAY: str = env.str(
    "PAYMENT_GATEWAY", default="" if PRODUCTION else "apps.billing.gateway.SandboxGateway"
)
PAYMENT_GATEWAY_SECRET: str = env.str(
    "PAYMENT_GATEWAY_SECRET", default="" if PRODUCTION else development_key("payment gateway")
)
# Days of attempts in vain after which a bill goes to the manager: nobody answers, so no reminder counts.
BILL_UNREACHED_DAYS: int = env.int("BILL_UNREACHED_DAYS", default=14)

# --- Admin --------------------------------------------------------------------------------------------

HOUSE = (_("Growth Plus"), _("claims administration"))  # brand and name
UNFOLD = {
    "SITE_TITLE": format_lazy("{} {}", *HOUSE),
    "SITE_HEADER": format_lazy("{} {}", *HOUSE),
    "SITE_SYMBOL": "family_star",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("claimsadmin/icon.svg")}
    ],
    "SITE_URL": None,
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_LANGUAGES": True,
    "SHOW_BACK_BUTTON": True,
    "ENVIRONMENT": "claimsadmin.branding.environment",
    "BORDER_RADIUS": "6px",
    "COLORS": {
        "primary": {
            "50": "oklch(97% .014 254.604)",
            "100": "oklch(93.2% .032 255.585)",
            "200": "oklch(88.2% .059 254.128)",
            "300": "oklch(80.9% .105 251.813)",
            "400": "oklch(70.7% .165 254.624)",
            "500": "oklch(62.3% .214 259.815)",
            "600": "oklch(54.6% .245 262.881)",
            "700": "oklch(48.8% .243 264.376)",
            "800": "oklch(42.4% .199 265.638)",
            "900": "oklch(37.9% .146 265.522)",
            "950": "oklch(28.2% .091 267.935)",
        },
    },
    "ACCOUNT": {
        "navigation": [
            {"title": _("Change password"), "link": reverse_lazy("account_change_password")},
            {"title": _("Two-factor authentication"), "link": reverse_lazy("mfa_index")},
        ],
    },
    "SIDEBAR": {
        "show_search": False,
        "show_all_applications": False,
        "navigation": "apps.cases.site.navigation",
    },
}

IMPORT_EXPORT_USE_TRANSACTIONS = True
IMPORT_EXPORT_SKIP_ADMIN_LOG = False

# --- Security of the web ------------------------------------------------------------------------------

CONTENT_SECURITY_POLICY: dict[str, list[str]] = {
    "default-src": ["'self'"],
    "script-src": ["'self'", "'unsafe-eval'"],  # unfold's Alpine evaluates its attributes
    "style-src": ["'self'", "'unsafe-inline'"],
    "img-src": ["'self'", "data:", "blob:"],
    "font-src": ["'self'", "data:"],
    "frame-src": ["'self'", "blob:"],
    "object-src": ["'none'"],
    "base-uri": ["'self'"],
    "form-action": ["'self'"],
    "frame-ancestors": ["'self'"],  # previews of papers beside the case; wins over X-Frame-Options
}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
CSRF_COOKIE_SAMESITE = "Lax"
if PRODUCTION:
    SECURE_SSL_REDIRECT: bool = env.bool("SECURE_SSL_REDIRECT", default=True)
    SECURE_REDIRECT_EXEMPT = [r"^health/", r"^metrics$"]  # asked from inside, past the proxy
    SECURE_HSTS_SECONDS: int = env.int("SECURE_HSTS_SECONDS", default=31_536_000)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    if ALLAUTH_TRUSTED_PROXY_COUNT:
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# --- Watching -----------------------------------------------------------------------------------------

# A PKCS#12 file that signs guarantee letters; empty: they go out unsigned.
LETTER_CERTIFICATE: str = env.str("LETTER_CERTIFICATE", default="")
LETTER_CERTIFICATE_PASSPHRASE: str = env.str("LETTER_CERTIFICATE_PASSPHRASE", default="")
# What `manage.py demo` makes and signs with instead; a real house has a certificate others trust.
LETTER_DEMO_CERTIFICATE: str = (
    "" if PRODUCTION or TESTING else str(VAR_DIR / "certificates" / "demo-letters.p12")
)
METRICS_TOKEN: str = env.str("METRICS_TOKEN", default="")
DJANGO_STRUCTLOG_CELERY_ENABLED = True
DJANGO_STRUCTLOG_STATUS_START_LOG_LEVEL = logging.DEBUG  # one line a request: its end
configure_structlog()
LOGGING = logging_config(
    as_json=env.bool("LOG_JSON", default=PRODUCTION),
    level=env.str("LOG_LEVEL", default="WARNING" if TESTING else "INFO"),
)

# --- Tests --------------------------------------------------------------------------------------------

if TESTING:
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    ACCOUNT_RATE_LIMITS = False
    REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"] = {"stranger": None, "actor": None}
    WHITENOISE_AUTOREFRESH = True
    MEDIA_ROOT = VAR_DIR / "test-media"
    MAIL_FOLDER = str(VAR_DIR / "test-mailboxes")
