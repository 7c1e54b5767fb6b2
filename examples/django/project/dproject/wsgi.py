"""What chaussette and gunicorn serve."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dproject.settings")
application = get_wsgi_application()
