"""A queue as a company's admin edits it: its own fields, its members in their order, the skills that it asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from agents.models import Skill
from curbe.companies.models import Company
from telephony.core.plan import Strategy
from telephony.forms.lists import PickField, RowForm, RowSet, Tick, as_options, row_set, wrong_of
from telephony.forms.places import PlaceField, options_of
from telephony.models import BusinessHours, CallQueue, QueueMember, QueueSkill
from telephony.operations.places import place_for
from telephony.queries.place_choices import PlaceChoices
from telephony.queries.plans import destination_of

#: What each strategy does, to the letter (contact-centre-semantics.md, section 2): it stands beside the drop-down.
DEFINITIONS: Final[Mapping[Strategy, str | Promise]] = {
    Strategy.RING_ALL: gettext_lazy(
        "All who are free ring together, ten at the most; the first to answer has the call. Each phone that rings "
        "costs."
    ),
    Strategy.ROUND_ROBIN: gettext_lazy(
        "One after the other in the order of the members, from behind whoever was offered the last call. The turn is "
        "kept over the night, and a new member does not start it anew."
    ),
    Strategy.LEAST_CALLS: gettext_lazy(
        "Whoever has answered the fewest calls of this queue in the time chosen below; of several the longest idle. "
        "Who comes in the middle of it starts at the least that the others have, so that nobody new is flooded."
    ),
    Strategy.LEAST_RECENT: gettext_lazy(
        "Whoever's last call of this queue, with its wrap-up, ended the longest ago. Who has had none counts from when "
        "the phone came on."
    ),
    Strategy.LONGEST_IDLE: gettext_lazy(
        "Whoever has been without a call the longest: since the end of the last one and its wrap-up, or since coming "
        "back from a break. A call that was not answered changes nothing."
    ),
    Strategy.PRIORITY: gettext_lazy(
        "Always the same order: agents of priority 1 before those of 2, and so on. Of the same priority in the order "
        "of the members."
    ),
    Strategy.SKILLS: gettext_lazy(
        "Whoever can do best what the queue asks for: the sum of level times weight over the skills below, and the "
        "level of the caller's language where the queue heeds it. Of several the longest idle."
    ),
}

_SECONDS: Final = {"class": "field field--number", "inputmode": "numeric"}
NUMBERS: Final = (
    "ring_timeout_s",
    "relax_after_s",
    "relax_every_s",
    "max_misses",
    "max_offers",
    "priority",
    "service_level_s",
    "max_wait_s",
    "max_size",
    "sticky_wait_s",
    "announce_every_s",
    "wrap_up_s",
)
TICKS: Final = (
    "cursor_follows_answer",
    "match_language",
    "relax_language",
    "overflow_when_joining_empty",
    "overflow_when_left_empty",
    "sticky",
    "announce_wait",
)
CHOICES: Final = ("strategy", "window", "priority_mode", "when_closing", "hours", "wrap_up_mode")


class MemberForm(RowForm):
    told_by = ("agent",)
    agent = PickField(label=gettext_lazy("Agent"))

    @property
    def member(self) -> str:
        """The agent's name; empty for a row in which nobody was chosen yet."""
        agent_id = self["agent"].value()
        known: Mapping[int, str] = self.fields["agent"].rows  # type: ignore[attr-defined]
        return known.get(int(agent_id), "") if str(agent_id or "").isdecimal() else ""


class MemberSet(RowSet):
    key = "agent"
    twice = gettext_lazy("This agent is a member already.")


class SkillForm(RowForm):
    told_by = ("skill",)
    skill = PickField(label=gettext_lazy("Skill"))
    min_level = forms.IntegerField(
        label=gettext_lazy("level at least"),
        min_value=1,
        max_value=5,
        initial=1,
        widget=forms.NumberInput({"class": "field field--number"}),
    )
    relaxable = forms.BooleanField(
        label=gettext_lazy("less will do after a long wait"), required=False, initial=True, widget=Tick
    )
    weight = forms.IntegerField(
        label=gettext_lazy("weight"),
        min_value=1,
        max_value=10,
        initial=1,
        widget=forms.NumberInput({"class": "field field--number"}),
    )


class SkillSet(RowSet):
    key = "skill"
    twice = gettext_lazy("This skill is asked for already.")


MemberRows: Final = row_set(MemberForm, MemberSet, can_order=True)
SkillRows: Final = row_set(SkillForm, SkillSet)


class QueueForm(forms.ModelForm):  # type: ignore[type-arg]
    overflow = PlaceField(label=gettext_lazy("Who cannot be served is sent to"))
    when_closed = PlaceField(
        label=gettext_lazy("While it is closed, calls go to"), nowhere=gettext_lazy("The same as who cannot be served")
    )

    class Meta:
        model = CallQueue
        fields = ("name", *CHOICES, *NUMBERS, *TICKS)
        widgets: dict[str, forms.Widget] = {
            "name": forms.TextInput({"class": "field", "autocomplete": "off"}),
            **{name: forms.Select({"class": "field"}) for name in CHOICES},
            **{name: forms.NumberInput(_SECONDS) for name in NUMBERS},
            **{name: Tick() for name in TICKS},
        }
        error_messages = {"name": {"required": gettext_lazy("Give the queue a name.")}}

    def __init__(self, data: Any, *, company: Company, choices: PlaceChoices, instance: CallQueue) -> None:
        initial = {
            "overflow": destination_of(instance.overflow),
            "when_closed": destination_of(instance.when_closed),
        }
        super().__init__(data, instance=instance, initial=initial)
        self.company = company
        self._offer(choices)
        self.members = self._member_rows(data, choices)
        self.skills = self._skill_rows(data)

    def _offer(self, choices: PlaceChoices) -> None:
        options = options_of(choices)
        for name in ("overflow", "when_closed"):
            self.fields[name].offer(choices, options)  # type: ignore[attr-defined]
        hours = self.fields["hours"]
        assert isinstance(hours, forms.ModelChoiceField)
        hours.queryset = BusinessHours.objects.filter(company=self.company).order_by("name")
        hours.empty_label = _("Always open")

    def _member_rows(self, data: Any, choices: PlaceChoices) -> MemberSet:
        ids = self._member_ids()
        # Who answers no more is still a member, and must not be dropped behind anybody's back.
        known = {**self._inactive(ids, choices), **choices.users}
        offered = {"agent": (known, as_options(choices.users))}
        return MemberRows(data, prefix="members", initial=[{"agent": agent_id} for agent_id in ids], offered=offered)

    def _member_ids(self) -> list[int]:
        if self.instance.pk is None:
            return []
        return list(self.instance.memberships.order_by("id").values_list("agent_id", flat=True))

    def _inactive(self, ids: list[int], choices: PlaceChoices) -> dict[int, str]:
        gone = [agent_id for agent_id in ids if agent_id not in choices.users]
        if not gone:
            return {}
        members = self.instance.memberships.filter(agent__in=gone).select_related("agent__user")
        return {one.agent_id: _("%(name)s (answers no more)") % {"name": one.agent} for one in members}

    def _skill_rows(self, data: Any) -> SkillSet:
        names = {skill.pk: str(skill) for skill in Skill.objects.filter(company=self.company).order_by("name", "code")}
        asked = self.instance.skills.order_by("id") if self.instance.pk else QueueSkill.objects.none()
        initial = list(asked.values("skill", "min_level", "relaxable", "weight"))
        return SkillRows(data, prefix="skills", initial=initial, offered={"skill": (names, as_options(names))})

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"].strip()
        others = CallQueue.objects.filter(company=self.company, name=name).exclude(pk=self.instance.pk)
        if others.exists():
            raise forms.ValidationError(_("There is another queue of this name."), code="taken")
        return name

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("relax_language") and not cleaned.get("match_language"):
            cleaned["relax_language"] = False
        return cleaned

    def is_valid(self) -> bool:
        # Each is asked, so that each shows its errors.
        return all([super().is_valid(), self.members.is_valid(), self.skills.is_valid()])

    def wrong(self) -> list[str]:
        return [*wrong_of(self), *self.members.wrong(), *self.skills.wrong()]

    def save(self, commit: bool = True) -> CallQueue:
        """Write the queue with its members and skills. Part of the caller's transaction."""
        queue: CallQueue = super().save(commit=False)
        queue.company = self.company
        queue.overflow = place_for(self.company, self.cleaned_data["overflow"])
        queue.when_closed = place_for(self.company, self.cleaned_data["when_closed"])
        queue.save()
        _set_members(queue, [row["agent"] for row in self.members.rows()])
        _set_skills(queue, self.skills.rows())
        return queue


def _set_members(queue: CallQueue, wanted: list[int]) -> None:
    """Let these agents be the members, in this order: that of their rows."""
    current = list(queue.memberships.order_by("id").values_list("agent_id", flat=True))
    if wanted == current:
        return
    # Rows that keep their place stay as they are: adding one at the end writes one.
    kept = 0
    while kept < min(len(current), len(wanted)) and current[kept] == wanted[kept]:
        kept += 1
    queue.memberships.filter(agent__in=current[kept:]).delete()
    QueueMember.objects.bulk_create(QueueMember(queue=queue, agent_id=agent_id) for agent_id in wanted[kept:])


def _set_skills(queue: CallQueue, wanted: list[dict[str, Any]]) -> None:
    queue.skills.exclude(skill__in=[row["skill"] for row in wanted]).delete()
    for row in wanted:
        values = {name: row[name] for name in ("min_level", "relaxable", "weight")}
        QueueSkill.objects.update_or_create(queue=queue, skill_id=row["skill"], defaults=values)
