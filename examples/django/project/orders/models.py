"""What the database holds."""

from django.db import models


class Order(models.Model):
    """Somebody wants something."""

    what = models.CharField(max_length=100)
    done = models.BooleanField(default=False)
