"""Makes the table of orders."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """As `manage.py makemigrations` has it."""

    initial = True
    operations = (
        migrations.CreateModel(
            name="Order",
            fields=[
                ("id", models.BigAutoField(primary_key=True)),
                ("what", models.CharField(max_length=100)),
                ("done", models.BooleanField(default=False)),
            ],
        ),
    )
