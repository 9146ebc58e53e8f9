"""The list of contacts is read by name, page by page, however many there are."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("contacts", "0002_routing"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="contact",
            index=models.Index(fields=["company", "name", "id"], name="contact_by_name"),
        ),
    ]
