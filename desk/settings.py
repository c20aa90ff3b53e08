"""Django settings of every process in the app environment; all of them come from the environment.

Each variable is named and explained in docs/settings.md (a test compares the two).
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import dj_database_url
import dj_email_url
from csp.constants import NONE, SELF, UNSAFE_INLINE
from django.core.exceptions import ImproperlyConfigured
from environs import Env

from desk import office

BASE_DIR = Path(__file__).resolve().parent.parent
env = Env(prefix="CITYDESK_")

# --- where we are ---------------------------------------------------------------------------------------------
ENVIRONMENT = env.str("ENVIRONMENT", "development")
if ENVIRONMENT not in ("development", "production"):
    raise ImproperlyConfigured(f"CITYDESK_ENVIRONMENT is {ENVIRONMENT!r}; choose development or production.")
PRODUCTION = ENVIRONMENT == "production"
DEBUG = False
VAR = Path(env.str("VAR", str(BASE_DIR / "var"))).resolve()

SECRET_KEY = env.str("SECRET_KEY", "")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
DESK_URL = env.str("DESK_URL", "http://localhost:8001").rstrip("/")
CHAT_URL = env.str("CHAT_URL", "http://localhost:8000").rstrip("/")
CSRF_TRUSTED_ORIGINS = [DESK_URL]

if PRODUCTION:
    if len(SECRET_KEY) < 50:
        raise ImproperlyConfigured(
            "CITYDESK_SECRET_KEY is missing or shorter than 50 characters. Make one with "
            "`python -c 'import secrets; print(secrets.token_urlsafe(64))'` and set it in the environment."
        )
    if not DESK_URL.startswith("https://") or not CHAT_URL.startswith("https://"):
        raise ImproperlyConfigured(
            f"CITYDESK_DESK_URL ({DESK_URL}) and CITYDESK_CHAT_URL ({CHAT_URL}) must start with https:// in production."
        )
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SECURE_SSL_REDIRECT = True
    # Who watches the process asks it directly, without TLS.
    SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
    SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", 31536000)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    # Browsers' preload list is for a whole domain: the city's to decide, not ours.
    SILENCED_SYSTEM_CHECKS = ["security.W021"]
elif not SECRET_KEY:
    # A development key that survives a restart, made on this machine and never committed.
    import secrets

    VAR.mkdir(parents=True, exist_ok=True)
    key_file = VAR / "secret_key"
    if not key_file.exists():
        key_file.write_text(secrets.token_urlsafe(64), encoding="utf-8")
        key_file.chmod(0o600)
    SECRET_KEY = key_file.read_text(encoding="utf-8")

# --- where the processes listen and find each other -------------------------------------------------------------
BIND = env.str("BIND", "127.0.0.1")
CHAT_PORT = env.int("CHAT_PORT", 8000)
DESK_PORT = env.int("DESK_PORT", 8001)
KNOWLEDGE_PORT = env.int("KNOWLEDGE_PORT", 8002)
RASA_PORT = env.int("RASA_PORT", 5005)
ACTIONS_PORT = env.int("ACTIONS_PORT", 5055)
# Proxies before the console; each adds the address it was asked from, and the one that many places from the end is
# believed. 0: none, and no header about addresses is believed.
PROXIES = env.int("PROXIES", 1 if PRODUCTION else 0)
KNOWLEDGE_URL = env.str("KNOWLEDGE_URL", f"http://127.0.0.1:{KNOWLEDGE_PORT}").rstrip("/")
RASA_URL = env.str("RASA_URL", f"http://127.0.0.1:{RASA_PORT}").rstrip("/")
RASA_TIMEOUT = env.float("RASA_TIMEOUT", 10.0)
# Rasa's memory of the dialogues: erased here when somebody asks for it (bot/trackers.py).
RASA_TRACKERS = Path(env.str("RASA_TRACKERS", str(VAR / "rasa" / "trackers.sqlite3")))
KNOWLEDGE_TIMEOUT = env.float("KNOWLEDGE_TIMEOUT", 5.0)

# --- the embedding model and the index --------------------------------------------------------------------------
MODEL = env.str("MODEL", str(VAR / "model"))
INDEX_DIR = Path(env.str("INDEX_DIR", str(VAR / "index")))
QUALITY_REPORT = VAR / "quality.json"
GAPS_REPORT = VAR / "gaps.json"
INDEX_POLL_SECONDS = env.float("INDEX_POLL_SECONDS", 0.2)

# --- channels -----------------------------------------------------------------------------------------------------
TELEGRAM_TOKEN = env.str("TELEGRAM_TOKEN", "")
TELEGRAM_API_URL = env.str("TELEGRAM_API_URL", "https://api.telegram.org").rstrip("/")
TELEGRAM_WEBHOOK_URL = env.str("TELEGRAM_WEBHOOK_URL", "").rstrip("/")
TELEGRAM_WEBHOOK_SECRET = env.str("TELEGRAM_WEBHOOK_SECRET", "")
TELEGRAM_PROXY = env.str("TELEGRAM_PROXY", "")
if not (TELEGRAM_CHAT_RATE := env.float("TELEGRAM_CHAT_RATE", 1.0)) > 0:
    raise ImproperlyConfigured(
        "CITYDESK_TELEGRAM_CHAT_RATE must be above 0: how many messages a second one chat gets at most."
    )
if TELEGRAM_WEBHOOK_URL and len(TELEGRAM_WEBHOOK_SECRET) < 16:
    raise ImproperlyConfigured(
        "CITYDESK_TELEGRAM_WEBHOOK_URL is set, but CITYDESK_TELEGRAM_WEBHOOK_SECRET is shorter than 16 characters. "
        "Anyone could post updates: set a random secret (A-Z, a-z, 0-9, _ and -)."
    )
# Forum groups of the staff, 0 for none; press tickets go to their own group alone.
STAFF_CHAT_ID = env.int("STAFF_CHAT_ID", 0)
STAFF_PRESS_CHAT_ID = env.int("STAFF_PRESS_CHAT_ID", 0)
if STAFF_CHAT_ID and STAFF_CHAT_ID == STAFF_PRESS_CHAT_ID:
    raise ImproperlyConfigured(
        "CITYDESK_STAFF_CHAT_ID and CITYDESK_STAFF_PRESS_CHAT_ID are the same group: everybody there would read press "
        "tickets."
    )
OUTBOX_POLL_SECONDS = env.float("OUTBOX_POLL_SECONDS", 0.5)
API_RATE_LIMIT = env.str("API_RATE_LIMIT", "60/minute")
API_RATE_LIMIT_STORAGE = env.str("API_RATE_LIMIT_STORAGE", "memory://")
WIDGET_ORIGINS = env.list("WIDGET_ORIGINS", ["*"])

# --- the city ------------------------------------------------------------------------------------------------------
CITY_NAME = env.str("CITY_NAME", "Mỹ Tho")
TICKET_PREFIX = env.str("TICKET_PREFIX", "MT")
RETENTION_DAYS = env.int("RETENTION_DAYS", 180)
# Personal data of closed tickets; their numbers and the city's answers stay.
RETENTION_TICKETS_DAYS = env.int("RETENTION_TICKETS_DAYS", 730)
if min(RETENTION_DAYS, RETENTION_TICKETS_DAYS) < 1:
    raise ImproperlyConfigured(
        "CITYDESK_RETENTION_DAYS and CITYDESK_RETENTION_TICKETS_DAYS must be at least 1: people are told after how "
        "many days their data go, and nothing about them is kept for ever."
    )
# Hours: by when a request without a deadline is answered, and how long before a deadline who is reminded.
ANSWER_HOURS = env.int("ANSWER_HOURS", 72)
REMIND_HOLDER_HOURS = env.int("REMIND_HOLDER_HOURS", 24)
REMIND_HEAD_HOURS = env.int("REMIND_HEAD_HOURS", 4)
# When somebody is there (the city's time), beside the public holidays: read by desk/hours.py.
OFFICE_HOURS = env.str("OFFICE_HOURS", "07:30-11:30,13:30-17:00")
OFFICE_DAYS = env.list("OFFICE_DAYS", ["mon", "tue", "wed", "thu", "fri"])
OFFICE_CLOSED = env.list("OFFICE_CLOSED", [])
try:
    office.read_hours(OFFICE_HOURS), office.read_days(OFFICE_DAYS), office.read_closed(OFFICE_CLOSED)
except office.HoursError as error:
    raise ImproperlyConfigured(f"{error}.") from error

# --- Django ----------------------------------------------------------------------------------------------------------
DATABASE_URL = env.str("DATABASE_URL", f"sqlite:///{VAR / 'citydesk.sqlite3'}")
DATABASES = {"default": dj_database_url.parse(DATABASE_URL, conn_max_age=60)}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # Several processes write: WAL lets readers go on meanwhile, IMMEDIATE makes a writer wait instead of fail.
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        # secure_delete: what is erased is overwritten, not only unlinked (some builds of SQLite do that, some do not).
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA secure_delete=ON;",
    }

INSTALLED_APPS = [
    "desk",
    "knowledge",
    "bot",
    "wagtail.contrib.settings",
    "wagtail.snippets",
    "wagtail.documents",
    "wagtail.images",
    "wagtail.users",
    "wagtail.admin",
    "wagtail.search",
    "wagtail.sites",
    "wagtail",
    "modelcluster",
    "taggit",
    "django_tasks",
    "axes",
    "csp",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "desk.security.IdleMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",  # last: it answers in place of a login that was refused
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
ROOT_URLCONF = "desk.urls"
WSGI_APPLICATION = "desk.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "wagtailadmin_login"

# --- who gets in, and what their browser may load (desk/security.py, docs/permissions.md) ---------------------------
AUTHENTICATION_BACKENDS = ["desk.security.Backend"]
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = "desk.security.tries"
AXES_COOLOFF_TIME = dt.timedelta(minutes=env.int("LOCK_MINUTES", 15))
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_CALLABLE = "desk.security.locked_out"
AXES_CLIENT_IP_CALLABLE = "desk.security.address"
# The audit log has the logins; what axes keeps are failures, until their time is up.
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = AXES_VERBOSE = False
# A session ends when nobody has used it for that long, and at the latest after a working day.
SESSION_IDLE_SECONDS = env.int("SESSION_IDLE_MINUTES", 60) * 60
SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
# Lax, not Strict: the links in reminders lead into the console.
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"  # nothing here has a preview, which Wagtail would show in a frame
# No inline script anywhere: those of Wagtail's templates are started by static/desk/console.js instead. Its styles
# are partly inline.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF, UNSAFE_INLINE],
        "img-src": [SELF, "data:", "blob:"],
        "font-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

USE_TZ = True
TIME_ZONE = "Asia/Ho_Chi_Minh"
USE_I18N = True
# Staff work in Vietnamese whatever their browser says; each may choose English under Account.
LANGUAGE_CODE = "vi"
LANGUAGES = [("vi", "Tiếng Việt"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "desk" / "locale"]
WAGTAILADMIN_PERMITTED_LANGUAGES = LANGUAGES
# Deadlines are spoken of in one time zone; with a single one Wagtail does not ask.
WAGTAIL_USER_TIME_ZONES = [TIME_ZONE]
WAGTAIL_SITE_NAME = f"Citydesk {CITY_NAME}"
WAGTAILADMIN_BASE_URL = DESK_URL
WAGTAILSEARCH_BACKENDS = {"default": {"BACKEND": "wagtail.search.backends.database"}}
WAGTAIL_FINISH_WORKFLOW_ACTION = "knowledge.finishing.publish"
WAGTAIL_ENABLE_UPDATE_CHECK = False
WAGTAIL_ENABLE_WHATS_NEW_BANNER = False
# Avatars would send a hash of every colleague's address to another company.
WAGTAIL_GRAVATAR_PROVIDER_URL = None

STATIC_URL = "/static/"
STATIC_ROOT = VAR / "static"
# What askers send along. Never below STATIC_ROOT or MEDIA_ROOT, which a web server may hand to anybody.
FILES_ROOT = Path(env.str("FILES_DIR", str(VAR / "files"))).resolve()
FILES_MAX_MB = env.int("FILES_MAX_MB", 10)
# What colleagues bring for the knowledge base, until they confirm it (desk/staging.py).
EXCHANGE_ROOT = VAR / "exchange"
# What goes out with answers: brochures and forms.
WAGTAILDOCS_EXTENSIONS = ["pdf"]
WAGTAILDOCS_INLINE_CONTENT_TYPES: list[str] = []
MEDIA_URL = "/media/"
MEDIA_ROOT = VAR / "media"
WHITENOISE_USE_FINDERS = True
EMAIL_FILE_PATH = VAR / "mail"
_mail = dj_email_url.parse(env.str("EMAIL_URL", "file:"))
if "EMAIL_BACKEND" not in _mail:
    raise ImproperlyConfigured(
        "CITYDESK_EMAIL_URL has an unknown scheme; use file:, console:, smtp://, smtps:// or submission:// (STARTTLS)."
    )
EMAIL_BACKEND = env.str("EMAIL_BACKEND", _mail["EMAIL_BACKEND"])
EMAIL_HOST, EMAIL_PORT = _mail.get("EMAIL_HOST"), _mail.get("EMAIL_PORT")
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _mail.get("EMAIL_HOST_USER"), _mail.get("EMAIL_HOST_PASSWORD")
EMAIL_USE_TLS, EMAIL_USE_SSL = _mail.get("EMAIL_USE_TLS", False), _mail.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = env.str("EMAIL_FROM", "citydesk@localhost")

LOG_LEVEL = env.str("LOG_LEVEL", "INFO")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "desk.logs.Formatter", "fmt": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    # Libraries speak only of trouble: request lines of HTTP clients would carry the bot's token and people's words
    # (lessons T4).
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {name: {"level": LOG_LEVEL} for name in ("actions", "bot", "desk", "knowledge", "nlu", "worker")}
    # The audit log says who failed to log in.
    | {"axes": {"level": "ERROR"}},
}
