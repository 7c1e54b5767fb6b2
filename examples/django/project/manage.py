"""Django's own commands for this project: python3 project/manage.py migrate."""

from __future__ import annotations

import os
import sys

from django.core.management import execute_from_command_line

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dproject.settings")
execute_from_command_line(sys.argv)
