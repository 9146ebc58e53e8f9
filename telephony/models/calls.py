"""Calls, their legs, to whom they were offered, and every id by which anybody knows them."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from agents.models import Agent
from curbe.companies.models import Company, CompanyOwned
from curbe.contacts.models import Contact
from curbe.lib.ids import uuid7
from telephony.core.types import VisitOutcome
from telephony.models.numbers import PhoneNumber
from telephony.models.plans import CallQueue


class Call(CompanyOwned):
    """One conversation as people count them (a session); its legs are rows of their own.

    Changed only by ``telephony.operations`` applying an event of the ledger.
    """

    class Direction(models.TextChoices):
        INBOUND = "inbound", _("Inbound")
        OUTBOUND = "outbound", _("Outbound")

    class Status(models.TextChoices):
        RINGING = "ringing", _("Ringing")
        IN_PROGRESS = "in_progress", _("In progress")
        COMPLETED = "completed", _("Completed")

    class Outcome(models.TextChoices):
        NONE = "", _("Not ended")
        ANSWERED = "answered", _("Answered")
        FORWARDED = "forwarded", _("Forwarded")
        VOICEMAIL = "voicemail", _("Voicemail")
        MISSED = "missed", _("Missed")
        ABANDONED = "abandoned", _("Caller hung up")
        UNASSIGNED = "unassigned", _("Number not assigned")
        BLOCKED = "blocked", _("Caller blocked")
        FAILED = "failed", _("Failed")
        # Of calls that an agent placed.
        NO_ANSWER = "no_answer", _("No answer")
        BUSY = "busy", _("Busy")
        CANCELED = "canceled", _("Given up by the agent")

    id = models.UUIDField(_("id"), primary_key=True, default=uuid7, editable=False)
    # Indexed by the pages' own indexes below, which begin with it.
    company = models.ForeignKey(
        Company, on_delete=models.CASCADE, related_name="+", verbose_name=_("company"), db_index=False
    )
    direction = models.CharField(_("direction"), max_length=8, choices=Direction, default=Direction.INBOUND)
    #: As the provider sent it: E.164, "anonymous", a SIP user. Up to 64 characters are kept.
    from_number = models.CharField(_("from number"), max_length=64, blank=True, default="")
    to_number = models.CharField(_("to number"), max_length=64, blank=True, default="")
    contact = models.ForeignKey(
        Contact,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="calls",
        db_index=False,
        verbose_name=_("contact"),
    )
    #: What the caller is called on the screen: the contact's name, else the network's caller-ID name, else empty.
    caller_name = models.CharField(_("caller name"), max_length=120, blank=True, default="")
    number = models.ForeignKey(
        PhoneNumber, on_delete=models.SET_NULL, null=True, blank=True, related_name="calls", verbose_name=_("number")
    )
    queue = models.ForeignKey(
        CallQueue,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="calls",
        db_index=False,
        verbose_name=_("queue"),
    )
    #: Who answered; empty until somebody did.
    agent = models.ForeignKey(
        Agent,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="calls",
        db_index=False,
        verbose_name=_("agent"),
    )
    status = models.CharField(_("status"), max_length=16, choices=Status, default=Status.RINGING)
    outcome = models.CharField(_("outcome"), max_length=16, choices=Outcome, blank=True, default=Outcome.NONE)
    #: CallSid of the leg that opened the call (inbound: the caller's; outbound: that of the agent who placed it).
    root_call_sid = models.CharField(_("first leg's CallSid"), max_length=160)
    #: CallSid of the customer's leg of an outbound call; empty while it is not known, and for inbound calls.
    called_sid = models.CharField(_("called party's CallSid"), max_length=160, blank=True, default="", db_default="")
    #: ``telephony.core.call_state.Phase``, as in the call's ``Talk``; empty while it has none.
    phase = models.CharField(_("phase"), max_length=16, blank=True, default="", db_default="", editable=False)
    account_sid = models.CharField(_("Telnyx account id"), max_length=64, blank=True, default="")
    connection_id = models.CharField(_("Telnyx connection id"), max_length=32, blank=True, default="")
    #: The number of the newest step of the caller's leg that was decided.
    step = models.PositiveSmallIntegerField(_("step"), default=1)
    started_at = models.DateTimeField(_("started at"))
    answered_at = models.DateTimeField(_("answered at"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    hangup_requested_at = models.DateTimeField(_("hang-up requested at"), null=True, blank=True)
    #: Who asked for the hang-up, when it was one of us.
    hangup_requested_by = models.ForeignKey(
        Agent,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        verbose_name=_("hang-up requested by"),
    )
    #: How it ended, in the provider's word (normal_clearing, user_busy, …).
    hangup_cause = models.CharField(_("hang-up cause"), max_length=40, blank=True, default="")
    #: The last moment at which anything was heard of the call; the reconciler asks about silent ones.
    last_news_at = models.DateTimeField(_("last news at"))

    class Meta:
        verbose_name = _("call")
        verbose_name_plural = _("calls")
        # A constraint and not unique=True, which would add a second index for LIKE; every call pays for each.
        constraints = [models.UniqueConstraint(fields=["root_call_sid"], name="one_call_per_root_leg")]
        indexes = [
            models.Index(fields=["company", "-id"], name="call_company_newest"),
            models.Index(fields=["company", "from_number", "-id"], name="call_company_from"),
            models.Index(fields=["company", "to_number", "-id"], name="call_company_to"),
            # The history's filters (benchmarks/history.py); a part of a number or name is found by ``call_grams``, an
            # index on an expression that only migration 0011 knows.
            models.Index(fields=["company", "outcome", "-id"], name="call_company_outcome"),
            models.Index(fields=["queue", "-id"], name="call_queue_newest", condition=models.Q(queue__isnull=False)),
            models.Index(
                fields=["company", "-id"], name="call_company_outbound", condition=models.Q(direction="outbound")
            ),
            # Partial: a new call has no agent yet, and most have no contact. What they do not have costs them nothing.
            models.Index(fields=["agent", "-id"], name="call_agent_newest", condition=models.Q(agent__isnull=False)),
            # An agent answers most of his calls: the others would be looked for among all of them.
            models.Index(
                fields=["agent", "-id"],
                name="call_agent_unanswered",
                condition=models.Q(agent__isnull=False) & ~models.Q(outcome="answered"),
            ),
            models.Index(fields=["contact", "-id"], name="call_contact", condition=models.Q(contact__isnull=False)),
            # The reconciler and the live pages read only open calls, which are few.
            models.Index(fields=["last_news_at"], name="call_open_news", condition=~models.Q(status="completed")),
        ]

    def __str__(self) -> str:
        return f"{self.from_number} → {self.to_number}"

    @property
    def customer_sid(self) -> str:
        """CallSid of the customer's leg, which walks through the plan; empty while an outbound call has none."""
        return self.called_sid if self.direction == self.Direction.OUTBOUND else self.root_call_sid

    @property
    def customer_number(self) -> str:
        """The number of the customer, whoever called whom."""
        return self.to_number if self.direction == self.Direction.OUTBOUND else self.from_number

    @property
    def our_number(self) -> str:
        """The number of ours that the customer sees or dialled."""
        return self.from_number if self.direction == self.Direction.OUTBOUND else self.to_number


class CallLeg(models.Model):
    """One party's connection to the call. Status only climbs; an end is final."""

    class Kind(models.TextChoices):
        CALLER = "caller", _("Caller")
        AGENT = "agent", _("Agent")
        FORWARD = "forward", _("Forwarded to")
        #: The customer of a call that an agent placed.
        CALLED = "called", _("Called")

    class Status(models.TextChoices):
        INITIATED = "initiated", _("Initiated")
        RINGING = "ringing", _("Ringing")
        IN_PROGRESS = "in_progress", _("In progress")
        ENDED = "ended", _("Ended")

    id = models.UUIDField(_("id"), primary_key=True, default=uuid7, editable=False)
    call = models.ForeignKey(Call, on_delete=models.CASCADE, related_name="legs", verbose_name=_("call"))
    call_sid = models.CharField(_("CallSid"), max_length=160)
    parent_call_sid = models.CharField(_("parent's CallSid"), max_length=160, blank=True, default="")
    kind = models.CharField(_("kind"), max_length=8, choices=Kind)
    agent = models.ForeignKey(
        Agent,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="legs",
        db_index=False,
        verbose_name=_("agent"),
    )
    status = models.CharField(_("status"), max_length=16, choices=Status, default=Status.INITIATED)
    #: The provider's final word: completed, busy, no-answer, canceled, failed.
    end_status = models.CharField(_("end status"), max_length=16, blank=True, default="")
    hangup_cause = models.CharField(_("hang-up cause"), max_length=40, blank=True, default="")
    hangup_source = models.CharField(_("hung up by"), max_length=16, blank=True, default="")
    sip_code = models.CharField(_("SIP code"), max_length=16, blank=True, default="")
    started_at = models.DateTimeField(_("started at"))
    answered_at = models.DateTimeField(_("answered at"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)

    class Meta:
        verbose_name = _("call leg")
        verbose_name_plural = _("call legs")
        constraints = [models.UniqueConstraint(fields=["call_sid"], name="one_leg_per_call_sid")]

    def __str__(self) -> str:
        return f"{self.kind} {self.call_sid}"


class Offer(models.Model):
    """One ringing of one agent for one call, and how it ended."""

    class Outcome(models.TextChoices):
        PENDING = "pending", _("Ringing")
        ANSWERED = "answered", _("Answered")
        DECLINED = "declined", _("Declined")
        MISSED = "missed", _("Missed")
        WITHDRAWN = "withdrawn", _("Withdrawn")
        DEVICE_LOST = "device_lost", _("Phone lost")

    id = models.UUIDField(_("id"), primary_key=True, default=uuid7, editable=False)
    # The unique constraint below begins with it.
    call = models.ForeignKey(
        Call, on_delete=models.CASCADE, related_name="offers", db_index=False, verbose_name=_("call")
    )
    agent = models.ForeignKey(
        Agent, on_delete=models.CASCADE, related_name="offers", db_index=False, verbose_name=_("agent")
    )
    step = models.PositiveSmallIntegerField(_("step"))
    #: The queue that offered it; empty for a user's or the company's own calls.
    queue = models.ForeignKey(
        CallQueue,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        verbose_name=_("queue"),
    )
    #: Why he and not another: ``telephony.core.types.Rank`` as a list in the order of comparison.
    rank = models.JSONField(_("rank"), null=True, blank=True)
    outcome = models.CharField(_("outcome"), max_length=16, choices=Outcome, default=Outcome.PENDING)
    offered_at = models.DateTimeField(_("offered at"))
    #: Ring time-out plus a margin; a pending offer older than this is over whatever we heard.
    expires_at = models.DateTimeField(_("expires at"))
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)

    class Meta:
        verbose_name = _("offer")
        verbose_name_plural = _("offers")
        constraints = [
            models.UniqueConstraint(fields=["call", "step", "agent"], name="an_agent_is_offered_a_step_once"),
        ]
        indexes = [
            models.Index(fields=["agent"], name="offer_agent_pending", condition=models.Q(outcome="pending")),
            # How many calls of a queue an agent answered, and when the last one was.
            models.Index(
                fields=["queue", "agent", "offered_at"],
                name="offer_answered_of_queue",
                condition=models.Q(outcome="answered"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.call_id} → {self.agent_id}: {self.outcome}"


class QueueVisit(CompanyOwned):
    """One stay of a call in a queue, from the moment it came to how it ended: exactly one outcome each."""

    class Outcome(models.TextChoices):
        WAITING = VisitOutcome.WAITING, _("Waiting")
        ANSWERED = VisitOutcome.ANSWERED, _("Answered")
        ABANDONED = VisitOutcome.ABANDONED, _("Caller hung up")
        ABANDONED_SHORT = VisitOutcome.ABANDONED_SHORT, _("Caller hung up at once")
        OVERFLOW_WAIT = VisitOutcome.OVERFLOW_WAIT, _("Waited too long")
        OVERFLOW_FULL = VisitOutcome.OVERFLOW_FULL, _("Queue full")
        CLOSED = VisitOutcome.CLOSED, _("Closed")
        JOIN_EMPTY = VisitOutcome.JOIN_EMPTY, _("Nobody was there")
        LEAVE_EMPTY = VisitOutcome.LEAVE_EMPTY, _("Everybody left")
        FAILED = VisitOutcome.FAILED, _("Failed")

    id = models.UUIDField(_("id"), primary_key=True, default=uuid7, editable=False)
    # Visits are read by queue and by call; a company that goes takes its queues along.
    company = models.ForeignKey(
        Company, on_delete=models.CASCADE, related_name="+", db_index=False, verbose_name=_("company")
    )
    # The indexes below begin with it.
    queue = models.ForeignKey(
        CallQueue, on_delete=models.CASCADE, related_name="visits", db_index=False, verbose_name=_("queue")
    )
    call = models.ForeignKey(Call, on_delete=models.CASCADE, related_name="visits", verbose_name=_("call"))
    #: When the call first came; a transfer keeps it.
    entered_at = models.DateTimeField(_("entered at"))
    priority = models.PositiveSmallIntegerField(_("priority"), default=0)
    #: The language that the caller, his contact or the number chose; empty: none was chosen.
    language = models.CharField(_("language"), max_length=2, blank=True, default="")
    outcome = models.CharField(_("outcome"), max_length=16, choices=Outcome, default=Outcome.WAITING)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    #: Who answered.
    agent = models.ForeignKey(
        Agent,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        verbose_name=_("agent"),
    )
    #: The plan that held when it began: later changes do not rewrite the past.
    plan_version = models.BigIntegerField(_("version of the plan"), default=0)
    #: The service level that it is measured by.
    service_level_s = models.PositiveSmallIntegerField(_("answer within (s)"), default=20)
    announced_at = models.DateTimeField(_("position said at"), null=True, blank=True)
    announced_position = models.PositiveSmallIntegerField(_("position said"), default=0)

    class Meta:
        verbose_name = _("visit to a queue")
        verbose_name_plural = _("visits to queues")
        constraints = [
            models.UniqueConstraint(
                fields=["call"], condition=models.Q(outcome="waiting"), name="a_call_waits_in_one_queue"
            ),
            models.CheckConstraint(
                condition=models.Q(outcome="waiting") ^ models.Q(ended_at__isnull=False),
                name="a_visit_has_an_end_if_it_is_over",
            ),
        ]
        indexes = [
            models.Index(fields=["queue", "entered_at"], name="visit_waiting", condition=models.Q(outcome="waiting")),
            models.Index(fields=["queue", "-entered_at"], name="visit_queue_newest"),
            # How long calls of the last half hour took.
            models.Index(fields=["queue", "ended_at"], name="visit_answered", condition=models.Q(outcome="answered")),
        ]

    def __str__(self) -> str:
        return f"{self.call_id} in {self.queue_id}: {self.outcome}"


class CallIdentifier(models.Model):
    """The registry: every id of a call that anybody learned, but the first leg's, which the call itself has.

    ``value`` is looked up together with the company.
    """

    class Kind(models.TextChoices):
        CALL_SID = "call_sid", "CallSid"
        SESSION_ID = "session_id", "call_session_id"
        LEG_ID = "leg_id", "call_leg_id"
        SDK_CALL_ID = "sdk_call_id", "SDK call.id"
        RECORDING_ID = "recording_id", "RecordingSid"

    call = models.ForeignKey(Call, on_delete=models.CASCADE, related_name="identifiers", verbose_name=_("call"))
    kind = models.CharField(_("kind"), max_length=16, choices=Kind)
    value = models.CharField(_("value"), max_length=160)
    #: Which agent's browser told it; empty when Telnyx did.
    agent = models.ForeignKey(
        Agent,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        verbose_name=_("agent"),
    )
    learned_at = models.DateTimeField(_("learned at"), auto_now_add=True)

    class Meta:
        verbose_name = _("identifier of a call")
        verbose_name_plural = _("identifiers of calls")
        constraints = [models.UniqueConstraint(fields=["value", "call"], name="an_id_is_once_in_a_call")]

    def __str__(self) -> str:
        return f"{self.kind} {self.value}"
