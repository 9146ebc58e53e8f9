"""Enough rows for a page to fill, and for a query per row to show."""

from __future__ import annotations

import uuid
from datetime import timedelta
from types import SimpleNamespace

from django.utils import timezone

from agents.models import Agent, AgentSkill, Beat, BreakReason, Presence, PresenceChange, Skill
from curbe.companies.models import ApiToken, Company, Membership, Team, TeamMembership, User
from curbe.contacts.models import Contact, ContactNumber
from recordings.models import (
    CompanyHold,
    Message,
    PollMark,
    Recording,
    RecordingAudit,
    RecordingGap,
    RecordingPolicy,
    RemoteDeletion,
    Transcript,
    TranscriptPolicy,
)
from telephony.models import (
    AccountAudit,
    AccountRepair,
    Asker,
    AuditFinding,
    BlockedCaller,
    BusinessHours,
    Call,
    CallIdentifier,
    CallLeg,
    CallQueue,
    CallWrapUp,
    Disposition,
    EmergencyAddress,
    Menu,
    MenuOption,
    NumberOrder,
    NumberRelease,
    Offer,
    OutboundIntent,
    PhoneNumber,
    Place,
    PlanVersion,
    QueueMember,
    QueueSkill,
    QueueVisit,
    RecordingRule,
    RouteTrace,
    SipEndpoint,
    SpecialDate,
    Talk,
    TalkCommand,
    TelnyxAccount,
    TelnyxEvent,
    VoicemailBox,
    WrapUpPolicy,
)


def gather(size: int) -> SimpleNamespace:
    """Make ``size`` rows of every model, spread over companies, each with everything that its page shows."""
    now = timezone.now()
    companies = Company.objects.bulk_create(
        Company(slug=f"crowd-{i}", name=f"Crowd {i}", public_id=f"{i:08x}") for i in range(max(2, size // 10))
    )
    at = [companies[i % len(companies)] for i in range(size)]
    users = User.objects.bulk_create(User(username=f"crowd-{i}", name=f"Person {i}") for i in range(size))
    members = Membership.objects.bulk_create(Membership(company=at[i], user=users[i]) for i in range(size))
    ApiToken.objects.bulk_create(
        ApiToken(company=at[i], membership=members[i], name=f"token {i}", digest=f"{i:064x}") for i in range(size)
    )
    teams = Team.objects.bulk_create(Team(company=at[i], name=f"team {i}") for i in range(size))
    TeamMembership.objects.bulk_create(
        TeamMembership(company=at[i], team=teams[i if i % 2 else i % len(companies)], membership=members[i])
        for i in range(size)
    )
    agents = Agent.objects.bulk_create(Agent(company=at[i], user=users[i]) for i in range(size))
    Beat.objects.bulk_create(Beat(agent=agent, phone_id="p", last_seen_at=now, ready=True) for agent in agents)
    PresenceChange.objects.bulk_create(
        PresenceChange(
            company=at[i],
            agent=agents[i],
            before=Presence.OFFLINE,
            after=Presence.AVAILABLE,
            reason="heartbeat",
            at=now,
        )
        for i in range(size)
    )
    SipEndpoint.objects.bulk_create(
        SipEndpoint(company=at[i], agent=agents[i], telnyx_credential_id=f"c{i}", sip_username=f"gencred{i}")
        for i in range(size)
    )
    TelnyxAccount.objects.create(texml_application_id="1")
    TelnyxAccount.objects.bulk_create(TelnyxAccount(company=company) for company in companies)
    audits = AccountAudit.objects.bulk_create(
        AccountAudit(asked_through=Asker.ADMIN, asked_by=users[i], started_at=now, finished_at=now) for i in range(size)
    )
    AuditFinding.objects.bulk_create(
        AuditFinding(
            audit=audits[-1],
            company=at[i],
            code="number_connection",
            subject=f"+1305555{i:04d}",
            repair="WIRE",
        )
        for i in range(size)
    )
    AccountRepair.objects.bulk_create(
        AccountRepair(
            company=at[i],
            code="number_connection",
            repair="WIRE",
            subject=f"+1305555{i:04d}",
            asked_through=Asker.ADMIN,
            asked_by=users[i],
            asked_at=now,
        )
        for i in range(size)
    )
    skills = Skill.objects.bulk_create(Skill(company=at[i], code=f"skill-{i}") for i in range(size))
    AgentSkill.objects.bulk_create(AgentSkill(agent=agents[i], skill=skills[i]) for i in range(size))
    contacts = Contact.objects.bulk_create(
        Contact(company=at[i], name=f"Contact {i}", owner=users[i], language="es") for i in range(size)
    )
    ContactNumber.objects.bulk_create(
        ContactNumber(company=at[i], contact=contacts[i], e164=f"+1312{i:07d}") for i in range(size)
    )
    hours = BusinessHours.objects.bulk_create(
        BusinessHours(company=at[i], name=f"hours {i}", weekly={"mon": ["09:00-18:00"]}) for i in range(size)
    )
    SpecialDate.objects.bulk_create(
        SpecialDate(hours=hours[i if i % 2 else 0], date=now.date() + timedelta(days=i)) for i in range(size)
    )
    to_agents = Place.objects.bulk_create(Place(company=at[i], kind="user", agent=agents[i]) for i in range(size))
    queues = CallQueue.objects.bulk_create(
        CallQueue(company=at[i], name=f"queue {i}", hours=hours[i], overflow=to_agents[i], when_closed=to_agents[i])
        for i in range(size)
    )
    to_queues = Place.objects.bulk_create(Place(company=at[i], kind="queue", queue=queues[i]) for i in range(size))
    menus = Menu.objects.bulk_create(
        Menu(company=at[i], name=f"menu {i}", say_es="Hola", on_timeout=to_queues[i], on_wrong=to_agents[i])
        for i in range(size)
    )
    Place.objects.bulk_create(Place(company=at[i], kind="menu", menu=menus[i]) for i in range(size))
    # The first queue and the first menu are large: their pages must not ask per member or digit.
    of_first = range(0, size, len(companies))
    QueueMember.objects.bulk_create(QueueMember(queue=queues[0], agent=agents[i]) for i in of_first)
    QueueSkill.objects.bulk_create(QueueSkill(queue=queues[0], skill=skills[i]) for i in of_first)
    AgentSkill.objects.bulk_create(AgentSkill(agent=agents[0], skill=skills[i]) for i in of_first if i)
    MenuOption.objects.bulk_create(
        MenuOption(menu=menus[0], digit=digit, place=(to_queues, to_agents)[i % 2][i * len(companies)])
        for i, digit in enumerate("0123456789*#"[: size // len(companies)])
    )
    PlanVersion.objects.bulk_create(PlanVersion(company=at[i], document={"queues": []}) for i in range(size))
    kinds = PhoneNumber.Destination
    numbers = PhoneNumber.objects.bulk_create(
        PhoneNumber(
            company=at[i],
            e164=f"+1305{i:07d}",
            destination=(kinds.USER, kinds.QUEUE, kinds.COMPANY, kinds.NONE)[i % 4],
            agent=agents[i] if i % 4 == 0 else None,
            queue=queues[i] if i % 4 == 1 else None,
            hours=hours[i],
            when_closed=to_queues[i],
        )
        for i in range(size)
    )
    NumberOrder.objects.bulk_create(
        NumberOrder(
            company=at[i],
            e164=f"+1407{i:07d}",
            customer_reference=f"reference-{i}",
            ordered_by=users[i],
            number=numbers[i],
            leads_to=to_queues[i],
            hours=hours[i],
            created_at=now,
        )
        for i in range(size)
    )
    NumberRelease.objects.bulk_create(
        NumberRelease(company=at[i], e164=f"+1212{i:07d}", released_by=users[i], created_at=now) for i in range(size)
    )
    BlockedCaller.objects.bulk_create(
        BlockedCaller(company=at[i], e164=f"+1415{i:07d}", blocked_by=users[i]) for i in range(size)
    )
    EmergencyAddress.objects.bulk_create(
        EmergencyAddress(company=at[i], name=f"House {i}", customer_reference=f"house-{i}") for i in range(size)
    )
    calls = Call.objects.bulk_create(
        Call(
            company=at[i],
            number=numbers[i],
            queue=queues[i],
            agent=agents[i],
            contact=contacts[i],
            hangup_requested_by=agents[i],
            from_number=f"+1312{i:07d}",
            to_number=numbers[i].e164,
            root_call_sid=f"v3:crowd-{i}",
            status=Call.Status.COMPLETED,
            started_at=now - timedelta(minutes=i),
            last_news_at=now,
        )
        for i in range(size)
    )
    # The first call has many of everything.
    parents = [calls[0] if i % 2 and i < 1000 else calls[i] for i in range(size)]
    CallLeg.objects.bulk_create(
        CallLeg(call=parents[i], call_sid=f"v3:leg-{i}", kind="agent", agent=agents[i], started_at=now)
        for i in range(size)
    )
    Offer.objects.bulk_create(
        Offer(
            call=parents[i],
            agent=agents[i],
            queue=queues[i],
            rank=[1, 0, 0, -90.5, 2, agents[i].pk],
            step=i % 1000,
            offered_at=now,
            expires_at=now,
        )
        for i in range(size)
    )
    QueueVisit.objects.bulk_create(
        QueueVisit(
            company=at[i],
            queue=queues[i],
            call=parents[i],
            agent=agents[i],
            entered_at=now,
            outcome="answered",
            ended_at=now,
        )
        for i in range(size)
    )
    BreakReason.objects.bulk_create(BreakReason(company=at[i], code=f"b-{i}", name=f"Break {i}") for i in range(size))
    dispositions = Disposition.objects.bulk_create(
        Disposition(company=at[i], code=f"d-{i}", name=f"Disposition {i}") for i in range(size)
    )
    WrapUpPolicy.objects.bulk_create(
        WrapUpPolicy(company=company, calls=kind) for company in companies for kind in WrapUpPolicy.Calls
    )
    CallWrapUp.objects.bulk_create(
        CallWrapUp(
            company=at[i],
            call=parents[i],
            agent=agents[i],
            mode="timed",
            started_at=now,
            until=now,
            ended_at=now,
            ended_how="done",
            disposition=dispositions[i],
        )
        for i in range(size)
    )
    CallIdentifier.objects.bulk_create(
        CallIdentifier(call=parents[i], kind="call_sid", value=f"v3:id-{i}", agent=agents[i]) for i in range(size)
    )
    RouteTrace.objects.bulk_create(
        RouteTrace(call=parents[i], step=i % 1000, decision={"verb": "ring"}, document="<Response/>", at=now)
        for i in range(size)
    )
    numbers_of = PhoneNumber.objects.order_by("id")[:size]
    OutboundIntent.objects.bulk_create(
        OutboundIntent(company=at[i], agent=agents[i], number=number, to_e164="+13125550177", created_at=now)
        for i, number in enumerate(numbers_of)
    )
    Talk.objects.bulk_create(
        Talk(call=one, phase="TALKING", phase_at=now, lead=agents[i], target_agent=agents[i])
        for i, one in enumerate(dict.fromkeys(parents))
    )
    TalkCommand.objects.bulk_create(
        TalkCommand(call=parents[i], kind="hold", created_at=now, next_attempt_at=now) for i in range(size)
    )
    events = TelnyxEvent.objects.bulk_create(
        TelnyxEvent(
            dedupe_key=f"crowd-{i}", kind="status.ringing", occurred_at=now, company=at[i], call=parents[i], error="Oh"
        )
        for i in range(size)
    )
    recordings = Recording.objects.bulk_create(
        Recording(company=at[i], call=parents[i], telnyx_recording_id=str(uuid.uuid4()), state="failed")
        for i in range(size)
    )
    RecordingRule.objects.bulk_create(RecordingRule(company=at[i], number=numbers[i]) for i in range(size))
    RecordingPolicy.objects.bulk_create(
        RecordingPolicy(company=company, kind=kind, keep_days=90) for company in companies for kind in Recording.Kind
    )
    CompanyHold.objects.bulk_create(CompanyHold(company=company, reason="x", since=now) for company in companies)
    RecordingAudit.objects.bulk_create(
        RecordingAudit(company=at[i], recording_id=recordings[i].pk, action="listened", by=users[i], at=now)
        for i in range(size)
    )
    RecordingGap.objects.bulk_create(
        RecordingGap(company=at[i], call=parents[i], agent=agents[i], asked_at=now, ended_at=now) for i in range(size)
    )
    RemoteDeletion.objects.bulk_create(
        RemoteDeletion(telnyx_recording_id=f"crowd-{i}", company=at[i], wanted_at=now) for i in range(size)
    )
    PollMark.objects.bulk_create(PollMark(connection_id=f"{i}", polled_until=now) for i in range(size))
    boxes = VoicemailBox.objects.bulk_create(
        VoicemailBox(company=at[i], queue=queues[i], say_es=f"greeting {i}") for i in range(size)
    )
    Message.objects.bulk_create(
        Message(
            company=at[i], box=boxes[i], call=parents[i], recording=recordings[i], state="new", created_at=now,
            assigned_to=users[i], heard_by=users[i],
        )
        for i in range(size)
    )  # fmt: skip
    for i in range(size):
        # One by one: bulk_create leaves out what the database computes.
        Transcript.objects.create(
            company=at[i], call=parents[i], recording=recordings[i], telnyx_recording_id=f"r{i}", created_at=now
        )
    TranscriptPolicy.objects.bulk_create(TranscriptPolicy(company=company) for company in companies)
    return SimpleNamespace(
        companies=companies,
        users=users,
        members=members,
        agents=agents,
        queues=queues,
        numbers=numbers,
        calls=calls,
        events=events,
        recordings=recordings,
        contacts=contacts,
    )
