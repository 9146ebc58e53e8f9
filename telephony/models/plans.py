"""Plans as people edit them. Calls are routed by what ``telephony.operations.plans`` compiles of them."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from agents.models import WRAP_UP_CAP_S, Agent, Skill, WrapUpMode
from curbe.companies.models import Company, CompanyOwned, Language, e164_validator
from telephony.core import plan
from telephony.core.hours import Switch


class BusinessHours(CompanyOwned):
    """Weekly hours in a time zone, with special dates, and a switch that goes before both."""

    class Switch(models.TextChoices):
        NONE = Switch.NONE, _("By the calendar")
        OPEN = Switch.OPEN, _("Open now, whatever the calendar says")
        CLOSED = Switch.CLOSED, _("Closed now, whatever the calendar says")

    name = models.CharField(_("name"), max_length=80)
    #: IANA name; empty: the company's.
    timezone = models.CharField(_("time zone"), max_length=64, blank=True, default="")
    #: ``{"mon": ["09:00-18:00"], …}``; a day that is not named is closed; 22:00-02:00 reaches into the next day.
    weekly = models.JSONField(_("weekly hours"), default=dict, blank=True)
    #: ISO 3166 code of the country whose holidays are proposed; empty: none.
    country = models.CharField(_("country"), max_length=2, blank=True, default="")
    switch = models.CharField(_("switch"), max_length=6, choices=Switch, blank=True, default=Switch.NONE)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("business hours")
        verbose_name_plural = _("business hours")
        constraints = [models.UniqueConstraint(fields=["company", "name"], name="hours_have_one_name_in_a_company")]

    def __str__(self) -> str:
        return self.name


class SpecialDate(models.Model):
    """A date on which other hours hold: a holiday, a short day."""

    hours = models.ForeignKey(
        BusinessHours, on_delete=models.CASCADE, related_name="special_dates", verbose_name=_("business hours")
    )
    date = models.DateField(_("date"))
    every_year = models.BooleanField(_("every year"), default=False)
    #: ``["10:00-14:00"]``; empty: closed.
    intervals = models.JSONField(_("hours"), default=list, blank=True)
    name = models.CharField(_("name"), max_length=80, blank=True, default="")

    class Meta:
        verbose_name = _("special date")
        verbose_name_plural = _("special dates")
        constraints = [models.UniqueConstraint(fields=["hours", "date"], name="a_date_is_special_once")]

    def __str__(self) -> str:
        return f"{self.date} {self.name}".strip()


class Place(CompanyOwned):
    """Where a digit, an overflow or closed hours lead: a value that its owners share, never edited."""

    class Kind(models.TextChoices):
        USER = "user", _("A user")
        QUEUE = "queue", _("A queue")
        MENU = "menu", _("A menu")
        COMPANY = "company", _("The company (automatic)")
        NUMBER = "number", _("Another number")
        VOICEMAIL = "voicemail", _("Voicemail")
        SAY = "say", _("An announcement")

    kind = models.CharField(_("kind"), max_length=16, choices=Kind)
    # Their owners restrict the deletion of a place: what is still led to stays, and the error says from where.
    agent = models.ForeignKey(
        Agent, on_delete=models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("user")
    )
    queue = models.ForeignKey(
        "CallQueue", on_delete=models.CASCADE, null=True, blank=True, related_name="places", verbose_name=_("queue")
    )
    menu = models.ForeignKey(
        "Menu", on_delete=models.CASCADE, null=True, blank=True, related_name="places", verbose_name=_("menu")
    )
    e164 = models.CharField(_("number"), max_length=16, blank=True, default="", validators=[e164_validator])
    words = models.CharField(_("words"), max_length=500, blank=True, default="")

    class Meta:
        verbose_name = _("place")
        verbose_name_plural = _("places")
        constraints = [
            models.CheckConstraint(
                condition=Q(agent__isnull=True) ^ Q(kind="user"),
                name="a_place_has_an_agent_if_it_is_a_user",
            ),
            models.CheckConstraint(
                condition=Q(queue__isnull=True) ^ Q(kind="queue"),
                name="a_place_has_a_queue_if_it_is_one",
            ),
            models.CheckConstraint(
                condition=Q(menu__isnull=True) ^ Q(kind="menu"),
                name="a_place_has_a_menu_if_it_is_one",
            ),
        ]

    def __str__(self) -> str:
        target = self.agent or self.queue or self.menu or self.e164 or self.words
        return f"{self.get_kind_display()}: {target}" if target else str(self.get_kind_display())


class CallQueue(CompanyOwned):
    """A named group of agents, how its calls are offered to them, and how long callers wait."""

    class Strategy(models.TextChoices):
        RING_ALL = plan.Strategy.RING_ALL, _("Ring all together (at most 10)")
        ROUND_ROBIN = plan.Strategy.ROUND_ROBIN, _("Round robin: each in turn")
        LEAST_CALLS = plan.Strategy.LEAST_CALLS, _("Fewest answered calls")
        LEAST_RECENT = plan.Strategy.LEAST_RECENT, _("Longest since a call of this queue")
        LONGEST_IDLE = plan.Strategy.LONGEST_IDLE, _("Longest idle")
        PRIORITY = plan.Strategy.PRIORITY, _("By priority, always the same order")
        SKILLS = plan.Strategy.SKILLS, _("Best skills")

    class Window(models.TextChoices):
        TODAY = plan.Window.TODAY, _("Today")
        QUARTER = plan.Window.QUARTER, _("15 minutes")
        HOUR = plan.Window.HOUR, _("1 hour")
        SHIFT = plan.Window.SHIFT, _("8 hours")
        DAY = plan.Window.DAY, _("24 hours")

    class PriorityMode(models.TextChoices):
        AGED = plan.PriorityMode.AGED, _("A point counts as a minute of waiting")
        STRICT = plan.PriorityMode.STRICT, _("Higher priority always first")

    class WhenClosing(models.TextChoices):
        FINISH = plan.WhenClosing.FINISH, _("Who waits is still served")
        OVERFLOW = plan.WhenClosing.OVERFLOW, _("Who waits is sent on")

    name = models.CharField(_("name"), max_length=80)
    strategy = models.CharField(_("strategy"), max_length=16, choices=Strategy, default=Strategy.RING_ALL)
    #: Telnyx allows 5–120 s for <Dial timeout> (developers.telnyx.com, Dial verb, 2026-04).
    ring_timeout_s = models.PositiveSmallIntegerField(
        _("ring time (s)"), default=25, validators=[MinValueValidator(5), MaxValueValidator(120)]
    )
    window = models.CharField(_("calls are counted over"), max_length=8, choices=Window, default=Window.TODAY)
    cursor_follows_answer = models.BooleanField(_("next is who stands behind the last who answered"), default=False)
    #: Round robin goes on behind this agent.
    cursor_agent = models.ForeignKey(
        Agent,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        editable=False,
        verbose_name=_("last in turn"),
    )
    match_language = models.BooleanField(_("only agents who speak the caller's language"), default=False)
    relax_language = models.BooleanField(_("after a long wait also agents who do not"), default=False)
    relax_after_s = models.PositiveSmallIntegerField(
        _("ask for less skill after (s)"), default=60, validators=[MinValueValidator(10), MaxValueValidator(3600)]
    )
    relax_every_s = models.PositiveSmallIntegerField(
        _("and again every (s)"), default=30, validators=[MinValueValidator(10), MaxValueValidator(3600)]
    )
    max_misses = models.PositiveSmallIntegerField(
        _("misses in a row until not responding (0: never)"), default=2, validators=[MaxValueValidator(5)]
    )
    max_offers = models.PositiveSmallIntegerField(
        _("offers of one call at most"), default=20, validators=[MinValueValidator(1), MaxValueValidator(100)]
    )
    priority = models.PositiveSmallIntegerField(_("priority"), default=0, validators=[MaxValueValidator(99)])
    priority_mode = models.CharField(_("priority means"), max_length=8, choices=PriorityMode, default=PriorityMode.AGED)
    service_level_s = models.PositiveSmallIntegerField(
        _("answer within (s)"), default=20, validators=[MinValueValidator(5), MaxValueValidator(600)]
    )
    max_wait_s = models.PositiveSmallIntegerField(
        _("longest wait (s)"), default=300, validators=[MinValueValidator(30), MaxValueValidator(3600)]
    )
    max_size = models.PositiveSmallIntegerField(
        _("callers who may wait"), default=50, validators=[MinValueValidator(1), MaxValueValidator(200)]
    )
    overflow_when_joining_empty = models.BooleanField(_("send on who comes while nobody is there"), default=True)
    overflow_when_left_empty = models.BooleanField(_("send on who waits when everybody has left"), default=True)
    hours = models.ForeignKey(
        BusinessHours,
        on_delete=models.RESTRICT,
        null=True,
        blank=True,
        related_name="queues",
        verbose_name=_("business hours"),
    )
    when_closing = models.CharField(_("at closing time"), max_length=8, choices=WhenClosing, default=WhenClosing.FINISH)
    overflow = models.ForeignKey(
        Place,
        on_delete=models.RESTRICT,
        null=True,
        blank=True,
        related_name="overflow_of_queues",
        verbose_name=_("overflow"),
        help_text=_("Empty: the company's fallback number if it has one, else voicemail."),
    )
    when_closed = models.ForeignKey(
        Place,
        on_delete=models.RESTRICT,
        null=True,
        blank=True,
        related_name="closed_of_queues",
        verbose_name=_("while closed"),
        help_text=_("Empty: the overflow."),
    )
    sticky = models.BooleanField(_("prefer the agent whom the caller knows"), default=False)
    sticky_wait_s = models.PositiveSmallIntegerField(
        _("wait for that agent at most (s)"), default=30, validators=[MaxValueValidator(30)]
    )
    announce_every_s = models.PositiveSmallIntegerField(
        _("say the position every (s, 0: never)"), default=60, validators=[MaxValueValidator(600)]
    )
    announce_wait = models.BooleanField(_("say the expected wait"), default=True)
    wrap_up_mode = models.CharField(
        _("after a call"), max_length=24, choices=WrapUpMode, default=WrapUpMode.NONE, db_default=WrapUpMode.NONE
    )
    #: Of the modes that have a timer.
    wrap_up_s = models.PositiveSmallIntegerField(
        _("time for it (s)"), default=30, db_default=30, validators=[MaxValueValidator(WRAP_UP_CAP_S)]
    )
    members: models.ManyToManyField[Agent, QueueMember] = models.ManyToManyField(
        Agent, through="QueueMember", related_name="queues", verbose_name=_("members")
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("queue")
        verbose_name_plural = _("queues")
        constraints = [models.UniqueConstraint(fields=["company", "name"], name="one_queue_per_name_and_company")]

    def __str__(self) -> str:
        return self.name


class QueueMember(models.Model):
    """An agent of a queue. The order of the rows is the fixed order that round robin goes through."""

    # The unique constraint below begins with it.
    queue = models.ForeignKey(
        CallQueue, on_delete=models.CASCADE, related_name="memberships", db_index=False, verbose_name=_("queue")
    )
    agent = models.ForeignKey(
        Agent, on_delete=models.CASCADE, related_name="queue_memberships", verbose_name=_("agent")
    )

    class Meta:
        verbose_name = _("member of a queue")
        verbose_name_plural = _("members of queues")
        constraints = [models.UniqueConstraint(fields=["queue", "agent"], name="an_agent_is_once_in_a_queue")]

    def __str__(self) -> str:
        return str(self.agent)


class QueueSkill(models.Model):
    """A skill that a queue's calls need."""

    queue = models.ForeignKey(CallQueue, on_delete=models.CASCADE, related_name="skills", verbose_name=_("queue"))
    skill = models.ForeignKey(Skill, on_delete=models.RESTRICT, related_name="+", verbose_name=_("skill"))
    min_level = models.PositiveSmallIntegerField(
        _("level at least"), default=1, validators=[MinValueValidator(1), MaxValueValidator(5)]
    )
    relaxable = models.BooleanField(_("less will do after a long wait"), default=True)
    weight = models.PositiveSmallIntegerField(
        _("weight"), default=1, validators=[MinValueValidator(1), MaxValueValidator(10)]
    )

    class Meta:
        verbose_name = _("skill of a queue")
        verbose_name_plural = _("skills of queues")
        constraints = [models.UniqueConstraint(fields=["queue", "skill"], name="a_queue_asks_for_a_skill_once")]

    def __str__(self) -> str:
        return f"{self.skill} ≥ {self.min_level}"


class Menu(CompanyOwned):
    """A spoken menu (IVR)."""

    name = models.CharField(_("name"), max_length=80)
    say_es = models.TextField(_("text in Spanish"), max_length=1000, blank=True, default="")
    say_en = models.TextField(_("text in English"), max_length=1000, blank=True, default="")
    #: Telnyx allows 1–120 s for <Gather timeout> (developers.telnyx.com, Gather verb, 2026-04).
    timeout_s = models.PositiveSmallIntegerField(
        _("wait for a digit (s)"), default=5, validators=[MinValueValidator(1), MaxValueValidator(60)]
    )
    retries = models.PositiveSmallIntegerField(_("say it again at most"), default=2, validators=[MaxValueValidator(9)])
    on_timeout = models.ForeignKey(
        Place,
        on_delete=models.RESTRICT,
        null=True,
        blank=True,
        related_name="timeout_of_menus",
        verbose_name=_("without a digit"),
        help_text=_("Empty: the company's fallback number if it has one, else voicemail."),
    )
    on_wrong = models.ForeignKey(
        Place,
        on_delete=models.RESTRICT,
        null=True,
        blank=True,
        related_name="wrong_of_menus",
        verbose_name=_("after wrong digits"),
        help_text=_("Empty: like without a digit."),
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("menu")
        verbose_name_plural = _("menus")
        constraints = [models.UniqueConstraint(fields=["company", "name"], name="one_menu_per_name_and_company")]

    def __str__(self) -> str:
        return self.name


class MenuOption(models.Model):
    """What one digit does."""

    menu = models.ForeignKey(Menu, on_delete=models.CASCADE, related_name="options", verbose_name=_("menu"))
    digit = models.CharField(_("digit"), max_length=1, validators=[RegexValidator(r"^[0-9*#]$", _("0–9, * or #"))])
    place = models.ForeignKey(Place, on_delete=models.RESTRICT, related_name="menu_options", verbose_name=_("leads to"))
    language = models.CharField(_("chooses the language"), max_length=2, choices=Language, blank=True, default="")

    class Meta:
        verbose_name = _("option of a menu")
        verbose_name_plural = _("options of menus")
        constraints = [models.UniqueConstraint(fields=["menu", "digit"], name="a_digit_does_one_thing")]

    def __str__(self) -> str:
        return f"{self.digit} → {self.place}"


class PlanVersion(CompanyOwned):
    """A company's plan as it was compiled; its id is the version that traces name. Rows are added, never changed."""

    # The index below begins with it.
    company = models.ForeignKey(
        Company, on_delete=models.CASCADE, related_name="+", db_index=False, verbose_name=_("company")
    )
    document = models.JSONField(_("document"))
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("version of a plan")
        verbose_name_plural = _("versions of plans")
        indexes = [models.Index(fields=["company", "-id"], name="plan_of_company_newest")]

    def __str__(self) -> str:
        return str(self.pk)
