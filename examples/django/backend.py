"""The worker dbackend of circus.ini: does what was ordered on the site."""

from __future__ import annotations

import time

import django

django.setup()  # DJANGO_SETTINGS_MODULE says which project it is

from orders.models import Order  # noqa: E402 models need the line above

while True:
    if not Order.objects.filter(done=False).update(done=True):
        time.sleep(0.2)
