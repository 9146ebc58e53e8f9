"""What the history is searched by: indexes, and the pieces of numbers and names that a part of one is found by.

The function is PostgreSQL's own language and not ``pg_trgm``: extensions are not to be had everywhere (the server that
development brings along has none), and three-character pieces are all that is needed of it.
"""

import django.db.models.deletion
from django.db import migrations, models

GRAMS = """
CREATE OR REPLACE FUNCTION telephony_call_grams(direction text, from_number text, to_number text, caller_name text)
RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT array_agg(DISTINCT substr(word, place, 3))
  FROM (
    SELECT regexp_replace(CASE direction WHEN 'outbound' THEN to_number ELSE from_number END, '[^0-9]', '', 'g')
    UNION ALL
    SELECT ' ' || part
    FROM regexp_split_to_table(
      translate(lower(caller_name), 'áàäâãåéèëêíìïîóòöôõúùüûñç', 'aaaaaaeeeeiiiiooooouuuunc'), '\\s+'
    ) AS part
  ) AS words (word), generate_series(1, length(word) - 2) AS place
$$;
CREATE INDEX IF NOT EXISTS call_grams ON telephony_call
  USING gin (telephony_call_grams(direction, from_number, to_number, caller_name));
-- The planner is to know which pieces are rare.
ALTER INDEX call_grams ALTER COLUMN 1 SET STATISTICS 500;
"""

NO_GRAMS = """
DROP INDEX IF EXISTS call_grams;
DROP FUNCTION IF EXISTS telephony_call_grams(text, text, text, text);
"""


class Migration(migrations.Migration):

    dependencies = [
        ("telephony", "0010_voicemail"),
    ]

    operations = [
        migrations.AlterField(
            model_name="call",
            name="queue",
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="calls", to="telephony.callqueue", verbose_name="queue"),
        ),
        migrations.AddIndex(
            model_name="call",
            index=models.Index(fields=["company", "to_number", "-id"], name="call_company_to"),
        ),
        migrations.AddIndex(
            model_name="call",
            index=models.Index(fields=["company", "outcome", "-id"], name="call_company_outcome"),
        ),
        migrations.AddIndex(
            model_name="call",
            index=models.Index(condition=models.Q(("queue__isnull", False)), fields=["queue", "-id"], name="call_queue_newest"),
        ),
        migrations.AddIndex(
            model_name="call",
            index=models.Index(condition=models.Q(("direction", "outbound")), fields=["company", "-id"], name="call_company_outbound"),
        ),
        migrations.RunSQL(GRAMS, NO_GRAMS),
    ]
