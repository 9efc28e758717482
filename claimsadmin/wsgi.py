"""The WSGI entry point: `gunicorn claimsadmin.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "claimsadmin.settings")

application = get_wsgi_application()
