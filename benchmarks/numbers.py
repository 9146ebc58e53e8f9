"""The numbers page at 100,000 numbers of one company, and what looking for blocked callers costs a call.

`python -m benchmarks.numbers`: a database of its own, Django's test client, medians after a warm-up.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.__main__ import _stack

if TYPE_CHECKING:
    from django.test import Client

NUMBERS: Final = 100_000
AGENTS: Final = 300
QUEUES: Final = 60
MENUS: Final = 20
BLOCKED: Final = 10_000
ROUNDS: Final = 25
CALLS: Final = 3_000

#: What is asked for → the address.
PAGES: Final = {
    "first page": "/numbers/",
    "a page in the middle": "/numbers/?after=%2B13055500000",
    "a whole number": "/numbers/?q=%2B1+305+555-0000",
    "digits, many matches": "/numbers/?q=305",
    "digits, few matches": "/numbers/?q=99977",
    "digits, no match": "/numbers/?q=77777777",
    "a label, few matches": "/numbers/?q=label+99",
    "the name of a queue": "/numbers/?q=queue+7",
    "no name at all": "/numbers/?q=nobody",
    "not assigned": "/numbers/?leads=none",
    "to a menu": "/numbers/?leads=menu",
    "nothing is like this": "/numbers/?leads=company",
}


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="curbe-bench-") as folder, _stack(Path(folder)) as stack:
        os.environ.update({**stack.env, "DJANGO_SETTINGS_MODULE": "curbe.settings"})
        import django

        django.setup()
        client = furnish()
        print(f"{NUMBERS:,} numbers, {AGENTS} agents, {QUEUES} queues, {MENUS} menus of one company\n")
        for what, address in PAGES.items():
            print(f"{what:24} {median_ms(lambda address=address: get(client, address)):6.1f} ms")  # type: ignore[misc]
        measure_blocking()


def get(client: Client, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 200, (address, answer.status_code)


def median_ms(work: Callable[[], None], rounds: int = ROUNDS) -> float:
    for _ in range(3):
        work()
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


def furnish() -> Client:
    """Fill the company, and return its owner's browser."""
    from django.db import connection
    from django.test import Client

    from agents.models import Agent
    from curbe.companies.models import Company, Membership, Role, User
    from telephony.models import BlockedCaller, CallQueue, Menu, MenuOption, Place
    from telephony.operations.plans import publish, published_once

    company = Company.objects.create(slug="bench", name="Bench", language="en")
    owner = User.objects.create_user("owner", name="Owner")
    Membership.objects.create(company=company, user=owner, role=Role.OWNER)
    users = User.objects.bulk_create(User(username=f"a{i}", name=f"Agent {i}") for i in range(AGENTS))
    agents = Agent.objects.bulk_create(Agent(company=company, user=user) for user in users)
    with published_once():
        queues = [CallQueue.objects.create(company=company, name=f"queue {i}") for i in range(QUEUES)]
        menus = [Menu.objects.create(company=company, name=f"menu {i}", say_en="…") for i in range(MENUS)]
        for place, menu in enumerate(menus):
            for digit in "1234":
                queue = queues[(place * 4 + int(digit)) % QUEUES]
                MenuOption.objects.create(
                    menu=menu, digit=digit, place=Place.objects.create(company=company, kind="queue", queue=queue)
                )
    publish(company.pk)
    BlockedCaller.objects.bulk_create(BlockedCaller(company=company, e164=f"+1407{i:07d}") for i in range(BLOCKED))
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO telephony_phonenumber (company_id, e164, label, telnyx_id, connection_id, destination,
                 agent_id, queue_id, menu_id, forward_to, words, language, created_at)
               SELECT %s, '+1' || (3055450000 + n), CASE WHEN n %% 100 = 0 THEN 'label ' || n ELSE '' END,
                 n::text, '1', (ARRAY['queue','queue','user','menu','none'])[n %% 5 + 1],
                 CASE WHEN n %% 5 = 2 THEN %s + n %% %s END, CASE WHEN n %% 5 < 2 THEN %s + n %% %s END,
                 CASE WHEN n %% 5 = 3 THEN %s + n %% %s END, '', '', '', now()
               FROM generate_series(1, %s) n""",
            [company.pk, agents[0].pk, AGENTS, queues[0].pk, QUEUES, menus[0].pk, MENUS, NUMBERS],
        )
        cursor.execute("ANALYZE")
    browser = Client(SERVER_NAME="127.0.0.1")
    browser.force_login(owner)
    return browser


def measure_blocking() -> None:
    """Compare the statement of the first instruction with the same one that does not look for blocked callers."""
    from django.utils import timezone

    from telephony.queries import routing

    whole = routing._SQL
    begins, ends = whole.index("EXISTS (SELECT 1 FROM telephony_blockedcaller"), whole.index("AS blocked")
    without = f"{whole[:begins]}false {whole[ends:]}"
    asked = {"to_number": "+13055500001", "from_number": "+14070000005", "call_sid": "v3:bench"}

    def ask() -> None:
        routing.voice_facts(**asked, now=timezone.now())

    figures: dict[str, list[float]] = {"with": [], "without": []}
    for _ in range(3):
        for name, sql in (("with", whole), ("without", without)):
            routing._SQL = sql  # type: ignore[misc]
            figures[name].append(median_ms(ask, CALLS) * 1000)
    print(f"\nfacts of a call, {BLOCKED:,} callers blocked, µs (median of {CALLS:,}, three interleaved rounds)")
    for name, rounds in figures.items():
        print(f"  {name:8} {' '.join(f'{one:5.0f}' for one in rounds)}")


if __name__ == "__main__":
    main()
