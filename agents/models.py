"""The people who answer: what they chose, what the server has them doing, and what their browser last said."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from curbe.companies.models import CompanyOwned, Language
from curbe.lib.ids import uuid7


class Intent(models.TextChoices):
    """What the person chose. Nobody else sets it."""

    AVAILABLE = "AVAILABLE", _("Available")
    BREAK = "BREAK", _("On a break")
    OFFLINE = "OFFLINE", _("Offline")


class Activity(models.TextChoices):
    """What the server has the agent doing. Nobody else sets it."""

    IDLE = "IDLE", _("Idle")
    RESERVED = "RESERVED", _("Ringing")
    ON_CALL = "ON_CALL", _("On a call")
    WRAP_UP = "WRAP_UP", _("Wrap-up")
    NOT_RESPONDING = "NOT_RESPONDING", _("Not responding")


class Presence(models.TextChoices):
    """The one word on the screen, derived by ``agents.presence.derive``."""

    AVAILABLE = "AVAILABLE", _("Available")
    RINGING = "RINGING", _("Ringing")
    ON_CALL = "ON_CALL", _("On a call")
    WRAP_UP = "WRAP_UP", _("Wrap-up")
    BREAK = "BREAK", _("On a break")
    NOT_RESPONDING = "NOT_RESPONDING", _("Not responding")
    NO_DEVICE = "NO_DEVICE", _("No phone")
    OFFLINE = "OFFLINE", _("Offline")


class WrapUpMode(models.TextChoices):
    """What comes after a call: how long its work keeps the agent from the next one, and who may end it."""

    NONE = "none", _("None: the next call may come at once")
    OPTIONAL = "optional", _("Until the agent is done")
    TIMED = "timed", _("For a time, or until the agent is done")
    TIMED_LOCKED = "timed_locked", _("For a time, to its end")
    REQUIRED_DISPOSITION = "required_disposition", _("Until the agent says how the call went")


#: Nobody is kept longer than this by the work after a call, whatever its mode.
WRAP_UP_CAP_S: Final = 900


class BreakReason(CompanyOwned):
    """Why somebody is on a break, and for how long that is meant to be. A company may have none."""

    class AtLimit(models.TextChoices):
        WARN = "warn", _("It is noted, and supervisors are told")
        AUTO_RETURN = "auto_return", _("The agent is available again")
        SET_OFFLINE = "set_offline", _("The agent is offline")

    #: No limit of a break is longer: eight hours.
    LONGEST_S: Final = 28_800

    #: What the company file and the API call it.
    code = models.SlugField(_("code"), max_length=40)
    name = models.CharField(_("name"), max_length=80)
    #: Training is work, lunch is not: reports tell the two apart.
    is_productive = models.BooleanField(_("counts as work"), default=False)
    soft_limit_s = models.PositiveIntegerField(
        _("meant to last (s, 0: any time)"), default=0, validators=[MaxValueValidator(LONGEST_S)]
    )
    hard_limit_s = models.PositiveIntegerField(
        _("longest (s, 0: any time)"), default=0, validators=[MaxValueValidator(LONGEST_S)]
    )
    at_limit = models.CharField(_("at the limit"), max_length=12, choices=AtLimit, default=AtLimit.WARN)
    is_active = models.BooleanField(_("can be chosen"), default=True)
    #: The order in which they are offered.
    position = models.PositiveSmallIntegerField(_("place in the list"), default=0)

    class Meta:
        verbose_name = _("reason for a break")
        verbose_name_plural = _("reasons for breaks")
        constraints = [models.UniqueConstraint(fields=["company", "code"], name="one_break_per_code_and_company")]

    def __str__(self) -> str:
        return self.name


class Agent(CompanyOwned):
    """A member who answers calls. ``presence`` is a cache of the derivation: readers that route compute it anew."""

    # The unique constraint below begins with it.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="agents",
        db_index=False,
        verbose_name=_("user"),
    )
    is_active = models.BooleanField(_("active"), default=True)
    intent = models.CharField(_("intent"), max_length=16, choices=Intent, default=Intent.AVAILABLE)
    #: What held when the call or the wrap-up that he is in began; another intent since then is pending.
    intent_before = models.CharField(
        _("intent before the call"),
        max_length=16,
        choices=Intent,
        default=Intent.AVAILABLE,
        db_default=Intent.AVAILABLE,
        editable=False,
    )
    break_reason = models.ForeignKey(
        BreakReason,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        editable=False,
        verbose_name=_("reason for the break"),
    )
    #: Since when the break has held; a pending one has not begun.
    break_since = models.DateTimeField(_("on a break since"), null=True, blank=True, editable=False)
    #: When the hard limit of the break is reached, and the sweep acts; it has acted already if this is empty.
    break_until = models.DateTimeField(_("break limit at"), null=True, blank=True, editable=False)
    activity = models.CharField(_("activity"), max_length=16, choices=Activity, default=Activity.IDLE)
    #: The call that reserved the agent, or that he is on. A call's id; agents know no calls.
    busy_call_id = models.UUIDField(_("call id"), null=True, blank=True, editable=False)
    #: A reservation is a lease: past this moment the agent is idle, whether or not anybody released him.
    reserved_until = models.DateTimeField(_("reserved until"), null=True, blank=True, editable=False)
    #: A wrap-up is a deadline too. Its call holds nobody any more, so it stands in a column of its own.
    wrap_up_until = models.DateTimeField(_("wrap-up until"), null=True, blank=True, editable=False)
    wrap_up_since = models.DateTimeField(_("wrap-up since"), null=True, blank=True, editable=False)
    wrap_up_mode = models.CharField(
        _("wrap-up mode"), max_length=24, choices=WrapUpMode, blank=True, default="", db_default="", editable=False
    )
    wrap_up_call_id = models.UUIDField(_("call of the wrap-up"), null=True, blank=True, editable=False)
    #: Since when he has had no call; the longest idle rings first.
    idle_since = models.DateTimeField(_("idle since"), auto_now_add=True)
    presence = models.CharField(
        _("presence"), max_length=16, choices=Presence, default=Presence.OFFLINE, editable=False
    )
    presence_at = models.DateTimeField(_("presence since"), auto_now_add=True)
    #: The tier in which he is asked: 1 before 2, in every queue.
    priority = models.PositiveSmallIntegerField(
        _("priority (1 is asked first)"),
        default=1,
        db_default=1,
        validators=[MinValueValidator(1), MaxValueValidator(9)],
    )
    #: Calls that he let ring out since he last answered one; past a queue's limit he is "not responding".
    missed_in_a_row = models.PositiveSmallIntegerField(_("missed in a row"), default=0, db_default=0, editable=False)
    #: When his phone last came back from offline: who comes in the middle of a shift is not flooded.
    on_duty_since = models.DateTimeField(_("on duty since"), null=True, blank=True, editable=False)
    #: Answered calls on ``calls_on_date`` (the company's day); any other day has none.
    calls_on_day = models.PositiveIntegerField(_("calls of the day"), default=0, db_default=0, editable=False)
    calls_on_date = models.DateField(_("day of the calls"), null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("agent")
        verbose_name_plural = _("agents")
        constraints = [
            models.UniqueConstraint(fields=["user", "company"], name="one_agent_per_person_and_company"),
        ]
        indexes = [
            # Who is held by a call, read at each end of one; and as a whole, whose lease or wrap-up may have run out,
            # read at each sweep. Few rows are not idle. One index for both: each claim and release pays for it anew.
            models.Index(
                fields=["busy_call_id"], name="agents_agent_not_idle", condition=~models.Q(activity=Activity.IDLE)
            ),
            # Whose break has a limit ahead, read at each sweep; written twice per such break.
            models.Index(
                fields=["break_until"], name="agents_break_limit", condition=models.Q(break_until__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return str(self.user)


class Skill(CompanyOwned):
    """Something that an agent can, in levels. A skill with a language says who speaks it."""

    #: What the company file calls it; the language's own code for a language.
    code = models.SlugField(_("code"), max_length=40)
    name = models.CharField(_("name"), max_length=80, blank=True, default="")
    language = models.CharField(_("is the language"), max_length=2, choices=Language, blank=True, default="")

    class Meta:
        verbose_name = _("skill")
        verbose_name_plural = _("skills")
        constraints = [
            models.UniqueConstraint(fields=["company", "code"], name="one_skill_per_code_and_company"),
            models.UniqueConstraint(
                fields=["company", "language"], condition=~models.Q(language=""), name="one_skill_per_language"
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.code


class AgentSkill(models.Model):
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="skills", verbose_name=_("agent"))
    skill = models.ForeignKey(Skill, on_delete=models.CASCADE, related_name="agents", verbose_name=_("skill"))
    level = models.PositiveSmallIntegerField(
        _("level (1–5)"), default=3, validators=[MinValueValidator(1), MaxValueValidator(5)]
    )

    class Meta:
        verbose_name = _("skill of an agent")
        verbose_name_plural = _("skills of agents")
        constraints = [
            models.UniqueConstraint(fields=["agent", "skill"], name="an_agent_has_a_skill_once"),
            models.CheckConstraint(condition=models.Q(level__gte=1, level__lte=5), name="skill_levels_are_1_to_5"),
        ]

    def __str__(self) -> str:
        return f"{self.skill} {self.level}"


class Beat(models.Model):
    """The last sign of life of an agent's phone: soft state in a narrow unlogged row of its own.

    Written every 10 s by each agent, so it carries no index but its key (an index on what every heartbeat changes ends
    HOT updates; measured in docs/architecture.md). After a crash of the database everybody is offline for one beat.
    """

    agent = models.OneToOneField(Agent, on_delete=models.CASCADE, primary_key=True, related_name="beat")
    #: The one browser tab that holds the phone; made by the page.
    phone_id = models.CharField(max_length=36)
    last_seen_at = models.DateTimeField()
    ready = models.BooleanField(default=False)
    microphone = models.BooleanField(default=False)
    #: The page runs, but no sound would come through: one-way audio, a sleeping tab.
    degraded = models.BooleanField(default=False, db_default=False)

    def __str__(self) -> str:
        return f"{self.agent_id} {self.last_seen_at:%H:%M:%S}"


class PresenceChange(CompanyOwned):
    """One change of the derived word, of a break's reason, or a supervisor's release; append-only."""

    id = models.UUIDField(_("id"), primary_key=True, default=uuid7, editable=False)
    # The index below begins with it.
    agent = models.ForeignKey(
        Agent, on_delete=models.CASCADE, related_name="presence_changes", db_index=False, verbose_name=_("agent")
    )
    before = models.CharField(_("before"), max_length=16, choices=Presence)
    after = models.CharField(_("after"), max_length=16, choices=Presence)
    #: A short code: heartbeat, sweep, claim, answered, ended, declined, withdrawn, intent, wrap_up_done, wrap_up_over,
    #: break_limit, released, ….
    reason = models.CharField(_("reason"), max_length=32)
    call_id = models.UUIDField(_("call id"), null=True, blank=True)
    #: Who did it; empty when it was nobody but the clock, the carrier or the browser.
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        verbose_name=_("by"),
    )
    #: The code of the break's reason, where the word after it is a break; kept as text, for reasons are edited.
    break_code = models.CharField(_("break"), max_length=40, blank=True, default="", db_default="")
    #: What a supervisor gave as the reason of a release.
    words = models.CharField(_("in words"), max_length=200, blank=True, default="", db_default="")
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("presence change")
        verbose_name_plural = _("presence changes")
        indexes = [models.Index(fields=["agent", "-at"], name="presence_change_agent_at")]

    def __str__(self) -> str:
        return f"{self.agent_id}: {self.before} → {self.after}"
