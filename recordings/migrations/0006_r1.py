from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('recordings', '0005_waveform'),
    ]

    operations = [
        migrations.AddField(
            model_name='pollmark',
            name='read_back_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='read far back at'),
        ),
        migrations.AlterField(
            model_name='recordingaudit',
            name='action',
            field=models.CharField(choices=[('listened', 'Listened'), ('downloaded', 'Downloaded'), ('held', 'Held'), ('released', 'Hold ended'), ('keeping', 'Retention changed'), ('deleted', 'Deleted')], max_length=12, verbose_name='action'),
        ),
        migrations.AddField(
            model_name='remotedeletion',
            name='what',
            field=models.CharField(choices=[('recording', 'Recording'), ('text', 'Text')], db_default='recording', default='recording', max_length=12, verbose_name='what'),
        ),
        migrations.AddIndex(
            model_name='recording',
            index=models.Index(condition=models.Q(('state', 'deleted'), _negated=True), fields=['company', 'kind', 'id'], name='recording_kept'),
        ),
    ]
