"""What the company file says of agents: who answers calls, in which tier, and what each can.

Who has the role agent answers, unless ``answers`` says no. Of those who answer no more nothing is written by an export
and nothing taken away by an import.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.db.models import RestrictedError

from agents.models import Agent, AgentSkill, Skill
from curbe.companies import field_types
from curbe.companies.company_file import Extension, Field, Import, Row, Section, Wrong
from curbe.companies.models import Company, Language, Membership, Role
from curbe.companies.yaml_lines import Node, Scalar, Table

PRIORITY: Final = 1

skill_code = field_types.slug_of(40)


def levels(node: Node) -> dict[str, int]:
    """Read ``{es: 5, en: 3}``: what somebody can, and how well."""
    if isinstance(node, Scalar) and node.is_null:
        return {}
    if not isinstance(node, Table):
        raise Wrong("must be skills with their levels, such as {es: 5, en: 3}")
    found = {}
    for code, value in node.values.items():
        line = node.key_lines[code]
        try:
            found[skill_code(Scalar(line, code))] = field_types.whole(1, 5)(value)
        except Wrong as err:
            raise Wrong(f"{code} {err}", line) from err
    return found


USER_FIELDS: Final = (
    Field("answers", field_types.boolean),
    Field("skills", levels),
    Field("priority", field_types.whole(1, 9)),
)
SKILL_FIELDS: Final = (
    Field("code", skill_code, required=True),
    Field("name", field_types.text(80, empty=True)),
)


class Skills:
    """The company's skills by the code that the file uses: for one that means a language, the language's."""

    def __init__(self, run: Import) -> None:
        self.run = run
        # Of two that share a code here, the one that is the language comes last and stays.
        of_company = Skill.objects.filter(company=run.company).order_by("language", "id")
        self.known = {code_of(skill): skill for skill in of_company}

    def get(self, code: str) -> Skill:
        """Return the skill, made on the way if nobody has named it before."""
        if code not in self.known:
            language = code if code in Language.values else ""
            self.known[code] = Skill.objects.create(company=self.run.company, code=code, language=language)
            self.run.note("+", f"skill {code}")
        return self.known[code]


def code_of(skill: Skill) -> str:
    return skill.language or skill.code


# --- What it says of users ----------------------------------------------------------------------------------------


def apply(run: Import, rows: tuple[Row, ...]) -> None:
    agents = {agent.user_id: agent for agent in Agent.objects.filter(company=run.company)}
    members = {one.user.username: one for one in _memberships(run.company)}
    skills = Skills(run)
    had = _levels_by_agent(run.company)
    for row in rows:
        membership = members.get(row["username"])
        if membership is None:  # he was refused
            continue
        agent = _set_answers(run, membership, agents.get(membership.user_id), row)
        if agent is not None and agent.is_active:
            _set_priority(run, row, agent)
            _set_skills(run, row, agent, had.get(agent.pk, {}), skills)
        else:
            _refuse_what_is_an_agents(run, row)


def _set_answers(run: Import, membership: Membership, agent: Agent | None, row: Row) -> Agent | None:
    by_role = membership.role == Role.AGENT
    is_new = agent is None or membership.user_id in run.joined
    before = agent is not None and agent.is_active
    answers = run.wanted(row, "answers", now=by_role or before if is_new else before, default=by_role)
    if answers == before:
        return agent
    defaults = {"is_active": answers}
    now, _made = Agent.objects.update_or_create(company=run.company, user=membership.user, defaults=defaults)
    verb = "answers calls" if answers else "answers calls no more"
    run.note("~" if agent else "+", f"agent {membership.user.username}: {verb}")
    return now


def _set_priority(run: Import, row: Row, agent: Agent) -> None:
    before = agent.priority
    priority = run.wanted(row, "priority", now=before, default=PRIORITY)
    if priority != before:
        agent.priority = priority
        agent.save(update_fields=["priority"])
        run.note("~", f"agent {row['username']}: priority {before} → {priority}")


def _set_skills(run: Import, row: Row, agent: Agent, had: Mapping[str, AgentSkill], skills: Skills) -> None:
    wanted: dict[str, int] = row.get("skills", {})
    for code, level in wanted.items():
        what = f"agent {row['username']}: skill {code}"
        before = had.get(code)
        if before is None:
            AgentSkill.objects.create(agent=agent, skill=skills.get(code), level=level)
            run.note("+", f"{what} {level}")
        elif before.level != level:
            run.note("~", f"{what} {before.level} → {level}")
            before.level = level
            before.save(update_fields=["level"])
    if "skills" in row or run.prune:
        for code in sorted(had.keys() - wanted.keys()):
            if run.left_out(f"agent {row['username']}: skill {code}"):
                had[code].delete()


def _refuse_what_is_an_agents(run: Import, row: Row) -> None:
    for key in ("skills", "priority"):
        if key in row:
            run.refuse(row.line_of(key), f"users: {row['username']} answers no calls, so {key} cannot be said of him")


def export(company: Company) -> Mapping[str, dict[str, Any]]:
    active = {agent.user_id: agent for agent in Agent.objects.filter(company=company, is_active=True)}
    has = _levels_by_agent(company)
    return {one.user.username: _export_one(one, active.get(one.user_id), has) for one in _memberships(company)}


def _export_one(
    membership: Membership, agent: Agent | None, has: Mapping[int, Mapping[str, AgentSkill]]
) -> dict[str, Any]:
    row: dict[str, Any] = {}
    if (agent is not None) != (membership.role == Role.AGENT):
        row["answers"] = agent is not None
    if agent is not None:
        skills = {code: one.level for code, one in has.get(agent.pk, {}).items()}
        row |= {"skills": skills} if skills else {}
        row |= {"priority": agent.priority} if agent.priority != PRIORITY else {}
    return row


def _levels_by_agent(company: Company) -> dict[int, dict[str, AgentSkill]]:
    levels: dict[int, dict[str, AgentSkill]] = {}
    for one in AgentSkill.objects.filter(agent__company=company).select_related("skill").order_by("id"):
        levels.setdefault(one.agent_id, {})[code_of(one.skill)] = one
    return levels


def _memberships(company: Company) -> list[Membership]:
    return list(Membership.objects.filter(company=company).select_related("user"))


# --- Skills, where there is more to say of them than who has them ---------------------------------------------------


def apply_skills(run: Import, rows: tuple[Row, ...]) -> None:
    skills = Skills(run)
    for row in rows:
        skill = skills.get(row["code"])
        _rename(run, skill, run.wanted(row, "name", now=skill.name, default=""))


def remove_skills(run: Import, rows: tuple[Row, ...]) -> None:
    """Take the name from a skill that the file does not list; take the skill itself if nobody has or needs it."""
    named = {row["code"] for row in rows}
    for code, skill in Skills(run).known.items():
        if code in named:
            continue
        if not run.prune:
            if skill.name:
                run.note("=", f"skill {code}")
        elif _delete(skill):
            run.note("-", f"skill {code}")
        else:
            _rename(run, skill, "")


def _delete(skill: Skill) -> bool:
    """Delete the skill if nobody has or needs it; say whether it is gone."""
    if skill.agents.exists():
        return False
    try:
        skill.delete()
    except RestrictedError:  # A queue asks for it.
        return False
    return True


def _rename(run: Import, skill: Skill, name: str) -> None:
    if skill.name != name:
        run.note("~", f"skill {code_of(skill)}: name {skill.name or '(none)'} → {name or '(none)'}")
        skill.name = name
        skill.save(update_fields=["name"])


def export_skills(company: Company) -> list[dict[str, Any]]:
    """Return the skills that have a name, and those that would be lost because no agent has them."""
    return [
        {"code": code_of(skill), **({"name": skill.name} if skill.name else {})}
        for skill in sorted(Skill.objects.filter(company=company), key=code_of)
        if skill.name or not skill.agents.filter(agent__is_active=True).exists()
    ]


EXTENSION: Final = Extension("users", USER_FIELDS, apply, export)
SKILLS: Final = Section("skills", "code", SKILL_FIELDS, apply_skills, export_skills, remove=remove_skills)
