import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("recordings", "0004_voicemail"),
    ]

    operations = [
        migrations.CreateModel(
            name="Waveform",
            fields=[
                ("recording", models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name="waveform", serialize=False, to="recordings.recording", verbose_name="recording")),
                ("channels", models.PositiveSmallIntegerField(verbose_name="channels")),
                ("per_s", models.PositiveSmallIntegerField(verbose_name="peaks per second")),
                ("peaks", models.BinaryField(verbose_name="peaks")),
                ("made_at", models.DateTimeField(verbose_name="made at")),
            ],
            options={
                "verbose_name": "waveform",
                "verbose_name_plural": "waveforms",
            },
        ),
    ]
