"""Whose work a member may look into: his own, his teams', or everybody's; and who is in a team.

A company without any team is one team. As soon as it has one, whoever supervises sees to the people of the teams that
he is in himself, and in none to nobody but himself. Owners and admins see to everybody, with teams and without.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from enum import Enum, auto
from typing import Final

from django.db import transaction
from django.db.models import Q, QuerySet

from curbe.companies.models import ADMINISTERING_ROLES, Company, Membership, Role, Team, TeamMembership

#: Whether the company has teams, kept with the member: asked once for each request.
_KNOWN: Final = "_company_has_teams"


class Reach(Enum):
    OWN = auto()
    TEAMS = auto()
    EVERYBODY = auto()


def reach_of(role: str, *, has_teams: bool) -> Reach:
    """Return how far somebody of this role sees, in a company that has teams or none."""
    if role in ADMINISTERING_ROLES:
        return Reach.EVERYBODY
    if role == Role.SUPERVISOR:
        return Reach.TEAMS if has_teams else Reach.EVERYBODY
    return Reach.OWN


def people_of(membership: Membership) -> QuerySet[Membership, int] | None:
    """Return the ids of the users whose work the member may look into, himself among them, to be filtered by.

    None: everybody's. A query at the most, and only for who has the role supervisor.
    """
    asks = membership.role == Role.SUPERVISOR
    match reach_of(membership.role, has_teams=asks and _has_teams(membership)):
        case Reach.EVERYBODY:
            return None
        case Reach.TEAMS:
            his = TeamMembership.objects.filter(membership=membership.pk).values("team")
            mates = TeamMembership.objects.filter(company=membership.company_id, team__in=his).values("membership")
            rows = Membership.objects.filter(Q(pk=membership.pk) | Q(pk__in=mates), company=membership.company_id)
        case Reach.OWN:
            rows = Membership.objects.filter(pk=membership.pk)
    return rows.values_list("user_id", flat=True)


def _has_teams(membership: Membership) -> bool:
    known: bool | None = getattr(membership, _KNOWN, None)
    if known is None:
        known = Team.objects.filter(company=membership.company_id).exists()
        setattr(membership, _KNOWN, known)
    return known


def supervisors_without_team(company: Company) -> Sequence[Membership]:
    """Return the supervisors who hear nobody but themselves once the company has teams."""
    rows = Membership.objects.filter(company=company, role=Role.SUPERVISOR, user__is_active=True)
    return list(rows.filter(team_memberships=None).select_related("user").order_by("user__name", "id"))


def set_people(team: Team, membership_ids: Collection[int]) -> tuple[tuple[Membership, ...], tuple[Membership, ...]]:
    """Let these members of the team's company be its people; return who came and who went.

    Who is no member of the company is left out, whatever the caller was told.
    """
    rows = Membership.objects.filter(company=team.company_id).select_related("user").order_by("id")
    with transaction.atomic():
        # Two who edit it wait for each other.
        Team.objects.select_for_update().get(pk=team.pk)
        now = set(TeamMembership.objects.filter(team=team).values_list("membership_id", flat=True))
        wanted = set(membership_ids)
        came, went = tuple(rows.filter(pk__in=wanted - now)), tuple(rows.filter(pk__in=now - wanted))
        TeamMembership.objects.filter(team=team).exclude(membership__in=wanted).delete()
        TeamMembership.objects.bulk_create(
            TeamMembership(company_id=team.company_id, team=team, membership=one) for one in came
        )
    return came, went
