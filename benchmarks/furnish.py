"""Make a company for a benchmark, in a process of its own: `python -m benchmarks.furnish line 5`.

Prints what the driver must know as JSON: the numbers by name, and each agent with his phone's ticket.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from agents.models import Agent
    from curbe.companies.models import Company
    from telephony.models import CallQueue, Place

#: Nobody leaves these queues but to an agent: what is measured is the way there.
PATIENT: Final = {
    "max_size": 200,
    "max_wait_s": 3600,
    "overflow_when_joining_empty": False,
    "overflow_when_left_empty": False,
}
#: Short rings and waits, so that a minute sees every kind of end.
HASTY: Final = {"ring_timeout_s": 5, "max_wait_s": 40, "max_size": 60, "announce_every_s": 30}


def line(company: Company, agents: Sequence[Agent], prefix: str) -> None:
    """One queue."""
    _number(company, f"{prefix}01", queue=_queue(company, "one", agents, strategy="longest_idle", **PATIENT))


def shared(company: Company, agents: Sequence[Agent], prefix: str) -> None:
    """Three queues whose members are the same people, one of them for the caller's language."""
    plain: dict[str, dict[str, Any]] = {"longest_idle": {}, "least_calls": {}, "skills": {"match_language": True}}
    for place, (strategy, more) in enumerate(plain.items(), start=1):
        queue = _queue(company, strategy, agents, strategy=strategy, **PATIENT, **more)
        _number(company, f"{prefix}0{place}", queue=queue, language="es" if more else "")


def house(company: Company, agents: Sequence[Agent], prefix: str) -> None:
    """Every strategy with agents who serve two queues each, a bilingual queue, a menu, a user and the company."""
    from agents.models import Skill
    from telephony.models import CallQueue, Menu, MenuOption, QueueSkill

    strategies = list(CallQueue.Strategy.values)
    queues = {}
    for place, strategy in enumerate(strategies):
        # Each queue has every third agent from its own place on, and everybody is in two queues or three.
        members = [agent for number, agent in enumerate(agents) if (number + place) % 3 == 0]
        queues[strategy] = _queue(company, strategy, members, strategy=strategy, **HASTY)
        _number(company, f"{prefix}0{place}", queue=queues[strategy])
    queues["round_robin"].overflow = _place(company, queue=queues["longest_idle"])
    queues["round_robin"].save()
    both = _queue(
        company, "both languages", agents, strategy="skills", match_language=True, relax_language=True, **HASTY
    )
    sales = Skill.objects.create(company=company, code="sales", name="Sales")
    _give(sales, agents, every=4, level=3)
    QueueSkill.objects.create(queue=both, skill=sales, min_level=2)
    menu = Menu.objects.create(company=company, name="main", say_es="Marque.", say_en="Press.", timeout_s=2, retries=1)
    menu.on_timeout = _place(company, queue=queues["ring_all"])
    menu.save()
    leads = {
        "1": ("es", both),
        "2": ("en", both),
        "3": ("", queues["ring_all"]),
        "4": ("", queues["priority"]),
    }
    for digit, (language, queue) in leads.items():
        place = _place(company, queue=queue)
        MenuOption.objects.create(menu=menu, digit=digit, place=place, language=language)
    _number(company, f"{prefix}07", menu=menu)
    _number(company, f"{prefix}11", agent=agents[0])
    _number(company, f"{prefix}12", destination="company")


def talks(company: Company, agents: Sequence[Agent], prefix: str) -> None:
    """Three queues whose agents transfer, consult and are lost; two of them are wrapped up for a moment."""
    plain: dict[str, dict[str, Any]] = {
        "longest_idle": {},
        "ring_all": {"wrap_up_mode": "timed", "wrap_up_s": 1},
        "round_robin": {"wrap_up_mode": "timed_locked", "wrap_up_s": 2},
    }
    for place, (strategy, more) in enumerate(plain.items()):
        members = [agent for number, agent in enumerate(agents) if number % 3 != place]
        _number(
            company, f"{prefix}0{place}", queue=_queue(company, strategy, members, strategy=strategy, **HASTY, **more)
        )
    _number(company, f"{prefix}05", agent=agents[0])


KINDS: Final[dict[str, Callable[[Company, Sequence[Agent], str], None]]] = {
    "line": line,
    "shared": shared,
    "house": house,
    "troubled": house,
    "talks": talks,
    "talks-troubled": talks,
}


def furnish(kind: str, agents: int) -> dict[str, Any]:
    from agents import tickets
    from agents.models import Skill
    from curbe.companies.models import Company
    from telephony.models import PhoneNumber
    from telephony.operations.plans import published_once

    with published_once():
        company = Company.objects.create(slug=f"bench-{kind}", name=f"Bench {kind}", language="es")
        people = [_agent(company, f"{kind}-{number}") for number in range(agents)]
        for language, every in (("es", 1), ("en", 2)):
            skill = Skill.objects.create(company=company, code=language, name=language, language=language)
            _give(skill, people, every=every, level=5)
        # Numbers of their own for each company, in the order in which they are made.
        KINDS[kind](company, people, f"+1305{3_000_000 + company.pk * 100:07d}"[:-2])
    now = datetime.now(UTC)
    return {
        "company_id": company.pk,
        "company": company.public_id,
        "numbers": list(PhoneNumber.objects.filter(company=company).order_by("e164").values_list("e164", flat=True)),
        "agents": [
            {
                "id": agent.pk,
                "ticket": tickets.issue(agent_id=agent.pk, company=company.public_id, phone_id="bench", now=now),
                **({"key": _key(agent)} if KINDS[kind] is talks else {}),
            }
            for agent in people
        ],
    }


def _agent(company: Company, username: str) -> Agent:
    from agents.models import Agent
    from curbe.companies.models import Membership, Role, User

    user = User.objects.create(username=username, name=username)
    Membership.objects.create(company=company, user=user, role=Role.AGENT)
    return Agent.objects.get_or_create(company=company, user=user)[0]


def _key(agent: Agent) -> str:
    from curbe.companies.models import ApiToken, Membership

    key = secrets.token_urlsafe(32)
    membership = Membership.objects.get(company=agent.company_id, user=agent.user_id)
    ApiToken.objects.create(
        company_id=agent.company_id, membership=membership, name="bench", digest=ApiToken.digest_of(key)
    )
    return key


def _give(skill: Any, agents: Sequence[Agent], *, every: int, level: int) -> None:
    from agents.models import AgentSkill

    for agent in agents[::every]:
        AgentSkill.objects.create(agent=agent, skill=skill, level=level)


def _queue(company: Company, name: str, members: Sequence[Agent], **fields: Any) -> CallQueue:
    from telephony.models import CallQueue, QueueMember

    queue = CallQueue.objects.create(company=company, name=name, **fields)
    QueueMember.objects.bulk_create([QueueMember(queue=queue, agent=agent) for agent in members])
    return queue


def _place(company: Company, *, queue: CallQueue) -> Place:
    from telephony.models import Place

    return Place.objects.get_or_create(company=company, kind=Place.Kind.QUEUE, queue=queue)[0]


def _number(company: Company, e164: str, *, destination: str = "", **leads_to: Any) -> None:
    from telephony.models import PhoneNumber

    kinds = {"queue": "queue", "menu": "menu", "agent": "user"}
    kind = destination or next(kinds[name] for name in leads_to if name in kinds)
    PhoneNumber.objects.create(company=company, e164=e164, destination=kind, **leads_to)


if __name__ == "__main__":
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "curbe.settings")
    django.setup()
    print(json.dumps(furnish(sys.argv[1], int(sys.argv[2]))))
