"""The statements of the roads that are asked thousands of times a second, or that touch thousands of rows at once."""

from __future__ import annotations

from typing import Final

#: Answers the agent's facts when the beat was taken. A phone that has been silent for 30 s holds nobody.
BEAT: Final = """
UPDATE agents_beat AS beat
   SET last_seen_at = %(now)s, phone_id = %(phone)s, ready = %(ready)s, microphone = %(microphone)s,
       degraded = %(degraded)s
  FROM agents_agent AS agent
  JOIN companies_user AS person ON person.id = agent.user_id AND person.is_active
 WHERE beat.agent_id = %(agent)s
   AND agent.id = beat.agent_id
   AND agent.is_active
   AND (beat.phone_id = %(phone)s OR beat.last_seen_at <= %(silent_since)s)
RETURNING agent.presence, agent.intent, agent.activity, agent.busy_call_id, agent.reserved_until, agent.wrap_up_until
"""

#: Answers whether anything is new: another phone, or the same one after silence. The CTE sees the row as it was.
#: A phone that asks for a new token in the middle of its work is not new: nothing changes, and it goes on beating.
#: The moment is read from the database's own clock while the row is locked (RETURNING comes after the wait for it), so
#: of two claims that cross the one that holds the phone in the end has the later moment, whoever asked first.
CLAIM_PHONE: Final = """
WITH former AS (
    SELECT phone_id, last_seen_at FROM agents_beat WHERE agent_id = %(agent)s
)
INSERT INTO agents_beat AS beat (agent_id, phone_id, last_seen_at, ready, microphone)
VALUES (%(agent)s, %(phone)s, %(now)s, false, false)
ON CONFLICT (agent_id) DO UPDATE
   SET phone_id = excluded.phone_id,
       last_seen_at = CASE WHEN beat.phone_id = excluded.phone_id AND beat.last_seen_at > %(silent_since)s
                           THEN beat.last_seen_at ELSE excluded.last_seen_at END,
       ready = beat.ready AND beat.phone_id = excluded.phone_id AND beat.last_seen_at > %(silent_since)s,
       microphone = beat.microphone AND beat.phone_id = excluded.phone_id AND beat.last_seen_at > %(silent_since)s,
       degraded = beat.degraded AND beat.phone_id = excluded.phone_id AND beat.last_seen_at > %(silent_since)s
 WHERE beat.phone_id = excluded.phone_id
    OR beat.last_seen_at <= %(silent_since)s
    OR %(take_over)s
RETURNING coalesce(
    (SELECT former.phone_id <> beat.phone_id OR former.last_seen_at <= %(silent_since)s FROM former), true
), (extract(epoch FROM clock_timestamp()) * 1000000)::bigint
"""

#: Rows are locked in the order of ids before they are written: two ring groups that overlap wait, and never deadlock.
#: The lock reads the row anew, so of two calls at once the second finds the agent reserved.
FREE: Final = """
wanted AS (
    SELECT * FROM unnest(%(agents)s::bigint[], %(changes)s::uuid[]) AS wanted (agent_id, change_id)
), free AS (
    SELECT agent.id, agent.company_id, agent.presence AS before, wanted.change_id
      FROM wanted
      JOIN agents_agent AS agent ON agent.id = wanted.agent_id
      JOIN agents_beat AS beat ON beat.agent_id = agent.id
     WHERE agent.is_active
       AND agent.intent = 'AVAILABLE'
       AND (agent.activity = 'IDLE'
            OR agent.activity = 'RESERVED' AND (agent.reserved_until IS NULL OR agent.reserved_until <= %(now)s)
            OR agent.activity = 'WRAP_UP' AND (agent.wrap_up_until IS NULL OR agent.wrap_up_until <= %(now)s))
       AND beat.last_seen_at > %(silent_since)s
       AND beat.ready
       AND beat.microphone
       AND NOT beat.degraded
     ORDER BY agent.id
       FOR NO KEY UPDATE OF agent
)"""

#: ``only`` is a further relation of one row: without that row nobody is reserved.
RESERVED: Final = """
claimed AS (
    UPDATE agents_agent AS agent
       SET activity = 'RESERVED',
           busy_call_id = %(call)s,
           reserved_until = %(until)s,
           intent_before = 'AVAILABLE',
           wrap_up_until = NULL,
           wrap_up_since = NULL,
           wrap_up_mode = '',
           wrap_up_call_id = NULL,
           presence = 'RINGING',
           presence_at = %(now)s
      FROM free{only}
     WHERE agent.id = free.id
    RETURNING agent.id, agent.company_id, free.before, free.change_id
), noted AS (
    INSERT INTO agents_presencechange (id, company_id, agent_id, before, after, reason, call_id, at)
    SELECT change_id, company_id, id, before, 'RINGING', 'claim', %(call)s, %(now)s
      FROM claimed
     WHERE before <> 'RINGING'
)"""

CLAIM: Final = f"WITH {FREE}, {RESERVED.format(only='')} SELECT id, company_id, before FROM claimed"

#: Who is reserved for the call and could still answer it; everybody else has been lost to it since he was claimed.
HOLD: Final = """
WITH held AS (
    SELECT agent.id
      FROM agents_agent AS agent
      JOIN agents_beat AS beat ON beat.agent_id = agent.id
     WHERE agent.id = ANY(%(agents)s::bigint[])
       AND agent.is_active
       AND agent.intent = 'AVAILABLE'
       AND agent.activity = 'RESERVED' AND agent.busy_call_id = %(call)s AND agent.reserved_until > %(now)s
       AND beat.last_seen_at > %(silent_since)s
       AND beat.ready
       AND beat.microphone
       AND NOT beat.degraded
     ORDER BY agent.id
       FOR NO KEY UPDATE OF agent
)
UPDATE agents_agent AS agent
   SET reserved_until = %(until)s
  FROM held
 WHERE agent.id = held.id
RETURNING agent.id
"""

#: Whose word the clock may have changed: a superset of them, cheaply. Four arms, each with a short list:
#: phones that fell silent and are still noted (a swept phone is forgotten, so whoever is long gone is not read again);
#: leases and wrap-ups that ran out; breaks at their limit; and, only when ``whole`` asks for it, agents who read online
#: though their beat is gone, which takes a crash of the database and costs more than the rest together.
EXPIRED: Final = """
SELECT agent_id
  FROM agents_beat
 WHERE last_seen_at <= %(silent_since)s AND phone_id <> ''
UNION
SELECT agent.id
  FROM agents_agent AS agent
 WHERE %(whole)s AND agent.presence NOT IN ('OFFLINE', 'ON_CALL', 'WRAP_UP')
   AND NOT EXISTS (SELECT FROM agents_beat AS beat WHERE beat.agent_id = agent.id)
UNION
SELECT id
  FROM agents_agent
 WHERE activity <> 'IDLE'
   AND (activity = 'RESERVED' AND reserved_until <= %(now)s OR activity = 'WRAP_UP' AND wrap_up_until <= %(now)s)
UNION
SELECT id
  FROM agents_agent
 WHERE break_until <= %(now)s
ORDER BY 1
"""

FORGET_SILENT_PHONES: Final = """
UPDATE agents_beat
   SET phone_id = ''
 WHERE agent_id = ANY(%(agents)s::bigint[]) AND last_seen_at <= %(silent_since)s AND phone_id <> ''
RETURNING agent_id
"""
