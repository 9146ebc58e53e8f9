"""The sections of the company file that belong to this app: the company itself, and its people."""

from __future__ import annotations

import re
from typing import Any, Final

from django.contrib.auth.validators import UnicodeUsernameValidator

from curbe.companies import field_types
from curbe.companies.company_file import Change, Field, Head, Import, Problem, Row, Section, Wrong
from curbe.companies.models import Company, Language, Membership, Role, User, default_countries
from curbe.companies.yaml_lines import Node


def public_id(node: Node) -> str:
    value = field_types.text(8)(node)
    if not re.fullmatch(r"[0-9a-f]{8}", value):
        raise Wrong("must be 8 hex digits")
    return value


#: What a company is when its file does not say; a name is always said.
DEFAULTS: Final = {
    "timezone": "UTC",
    "language": Language.SPANISH.value,
    "routing_mode": Company.RoutingMode.AUTO.value,
    "fallback_number": "",
    "outbound_countries": default_countries(),
}
COMPANY_FIELDS: Final = (
    Field("slug", field_types.slug, required=True),
    Field("public_id", public_id),
    Field("name", field_types.text(120), required=True),
    Field("timezone", field_types.timezone),
    Field("language", field_types.one_of(Language.values)),
    Field("routing_mode", field_types.one_of(Company.RoutingMode.values)),
    Field("fallback_number", field_types.e164_or_empty),
    Field("outbound_countries", field_types.countries),
)
USER_FIELDS: Final = (
    Field(
        "username",
        field_types.checked(field_types.text(150), UnicodeUsernameValidator(), "must be letters, digits and @ . + - _"),
        required=True,
    ),
    Field("name", field_types.text(120, empty=True)),
    Field("email", field_types.email),
    Field("role", field_types.one_of(Role.values)),
)


def apply_company(row: Row, problems: list[Problem], changes: list[Change], prune: bool) -> Company | None:
    """Return the company of that slug, made or changed. The row is locked: two imports wait for each other."""
    if "slug" not in row:
        return None
    company = Company.objects.select_for_update().filter(slug=row["slug"]).first()
    if company is None:
        return _make_company(row, problems, changes)
    if "public_id" in row and row["public_id"] != company.public_id:
        reason = f"company: the public_id of {company.slug} is {company.public_id} and never changes"
        problems.append(Problem(row.line_of("public_id"), reason))
    run = Import(company=company, prune=prune)
    wanted = {
        key: run.wanted(row, key, now=getattr(company, key), default=default) for key, default in DEFAULTS.items()
    }
    wanted["name"] = row.get("name", company.name)
    if difference := _set(company, wanted):
        company.save(update_fields=list(wanted))
        changes.append(Change("~", f"company {company.slug}: {difference}"))
    return company


def _make_company(row: Row, problems: list[Problem], changes: list[Change]) -> Company | None:
    values = {key: value for key, value in row.values.items() if key in {"slug", "public_id", "name", *DEFAULTS}}
    other = Company.objects.filter(public_id=row["public_id"]).first() if "public_id" in row else None
    if other is not None:
        reason = f"company: the public_id {other.public_id} belongs to another company, {other.slug}"
        problems.append(Problem(row.line_of("public_id"), reason))
        return None
    company = Company.objects.create(**values)
    changes.append(Change("+", f"company {company.slug}: {company.name}"))
    return company


def export_head(company: Company) -> dict[str, Any]:
    row = {field.key: getattr(company, field.key) for field in COMPANY_FIELDS}
    if row["outbound_countries"] == DEFAULTS["outbound_countries"]:
        del row["outbound_countries"]
    return {key: value for key, value in row.items() if value != ""}


def apply_users(run: Import, rows: tuple[Row, ...]) -> None:
    members = {one.user.username: one for one in _memberships(run.company)}
    names = [row["username"] for row in rows]
    known = {user.username: user for user in User.objects.filter(username__in=names)}
    for row in rows:
        membership = members.get(row["username"])
        if membership is not None:
            _change_member(run, row, membership)
        elif row["username"] in known:
            _let_in(run, row, known[row["username"]])
        else:
            _make_user(run, row)
    for username in members.keys() - set(names):
        _let_go(run, members[username])


def _change_member(run: Import, row: Row, membership: Membership) -> None:
    user = membership.user
    person = {key: run.wanted(row, key, now=getattr(user, key), default="") for key in ("name", "email")}
    member = {"role": row.get("role", membership.role)}
    differences = [_set(user, person), _set(membership, member)]
    if any(differences):
        user.save(update_fields=list(person))
        membership.save(update_fields=list(member))
        run.note("~", f"user {user.username}: {', '.join(filter(None, differences))}")


def _let_in(run: Import, row: Row, user: User) -> None:
    """Make a member of somebody whom another company brought: only who is the same person, by his e-mail address."""
    said = row.get("email", "").casefold()
    if not said or said != user.email.casefold():
        run.refuse(
            row.line_of("username"),
            f"users: the user name {user.username} is taken by somebody of another company; "
            "if it is the same person, write the same email",
        )
        return
    membership = Membership.objects.create(company=run.company, user=user, role=_role(row))
    run.joined.add(user.pk)
    run.note("+", f"user {user.username}: {membership.role}, known from another company")


def _make_user(run: Import, row: Row) -> None:
    person = {key: row[key] for key in ("name", "email") if key in row}
    user = User.objects.create_user(row["username"], **person)  # without a password: nobody can log in yet
    membership = Membership.objects.create(company=run.company, user=user, role=_role(row))
    run.new_users.append(user)
    run.joined.add(user.pk)
    run.note("+", f"user {user.username}: {membership.role}")


def _let_go(run: Import, membership: Membership) -> None:
    """Take the membership; the person and what he did stay, because calls and recordings name him."""
    run.note("-" if run.prune else "=", f"user {membership.user.username}: {membership.role}")
    if run.prune:
        membership.delete()


def _role(row: Row) -> str:
    """Return the role of a new member; who has none said may do least."""
    return str(row.get("role", Role.AGENT.value))


def export_users(company: Company) -> list[dict[str, Any]]:
    return [
        {
            "username": one.user.username,
            **({"name": one.user.name} if one.user.name else {}),
            **({"email": one.user.email} if one.user.email else {}),
            "role": one.role,
        }
        for one in _memberships(company)
    ]


def _memberships(company: Company) -> list[Membership]:
    return list(Membership.objects.filter(company=company).select_related("user").order_by("id"))


def _set(row: Any, wanted: dict[str, Any]) -> str:
    """Set what is different, and return it in words; empty when nothing is."""
    differences = []
    for key, value in wanted.items():
        before = getattr(row, key)
        if before != value:
            setattr(row, key, value)
            differences.append(f"{key} {before or '(none)'} → {value or '(none)'}")
    return ", ".join(differences)


HEAD_SECTION: Final = Head(COMPANY_FIELDS, apply_company, export_head)
USERS: Final = Section("users", "username", USER_FIELDS, apply_users, export_users)
