"""Companies, the people in them, and what each may do."""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING, ClassVar

from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from curbe.lib.phone import E164

if TYPE_CHECKING:
    from django.contrib.auth.models import UserManager

e164_validator = RegexValidator(E164, _("Write the number as E.164: +13055550100."))


def new_public_id() -> str:
    return secrets.token_hex(4)


class Language(models.TextChoices):
    SPANISH = "es", "Español"
    ENGLISH = "en", "English"


def default_countries() -> list[str]:
    """Return what Telnyx's own profiles allow until somebody says otherwise (rest-api.md section 7)."""
    return ["US", "CA"]


class Company(models.Model):
    """A tenant: its numbers, people, calls and recordings are its own."""

    class RoutingMode(models.TextChoices):
        AUTO = "auto", _("Automatic: one free agent rings alone, several ring together")

    #: 8 hex digits; stands in every webhook address, so it never changes.
    public_id = models.CharField(_("public id"), max_length=8, unique=True, default=new_public_id, editable=False)
    slug = models.SlugField(_("short name"), unique=True)
    name = models.CharField(_("name"), max_length=120)
    timezone = models.CharField(_("time zone"), max_length=64, default="UTC")
    language = models.CharField(_("language"), max_length=2, choices=Language, default=Language.SPANISH)
    routing_mode = models.CharField(_("routing mode"), max_length=16, choices=RoutingMode, default=RoutingMode.AUTO)
    fallback_number = models.CharField(
        _("fallback number"), max_length=16, blank=True, default="", validators=[e164_validator]
    )
    #: The countries (ISO 3166 alpha-2) that its agents may call; emergency numbers are never blocked.
    outbound_countries = ArrayField(
        models.CharField(max_length=2, validators=[RegexValidator(r"^[A-Z]{2}$")]),
        verbose_name=_("countries that may be called"),
        default=default_countries,
        blank=True,
        help_text=_("Two capital letters each (US, CA, MX), separated by commas."),
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("company")
        verbose_name_plural = _("companies")

    def __str__(self) -> str:
        return self.name


class CompanyOwned(models.Model):
    """A row that belongs to one company and is reached only through ``curbe.companies.access``."""

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="+", verbose_name=_("company"))

    class Meta:
        abstract = True


class User(AbstractUser):
    """A person who logs in. ``language`` is empty until the person has chosen one."""

    # One field for the name: first and last names do not fit Gómez Ríos, and nobody needs them apart.
    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]
    name = models.CharField(_("name"), max_length=120, blank=True, default="")
    language = models.CharField(_("language"), max_length=2, choices=Language, blank=True, default="")

    if TYPE_CHECKING:
        objects: ClassVar[UserManager[User]]

    def __str__(self) -> str:
        return self.name or self.username

    def get_full_name(self) -> str:
        return self.name or self.username

    def get_short_name(self) -> str:
        return (self.name or self.username).split(" ")[0]


class Role(models.TextChoices):
    OWNER = "owner", _("Owner")
    ADMIN = "admin", _("Administrator")
    SUPERVISOR = "supervisor", _("Supervisor")
    AGENT = "agent", _("Agent")


#: Who may see what all agents of the company do.
SUPERVISING_ROLES = frozenset({Role.OWNER, Role.ADMIN, Role.SUPERVISOR})

#: Who may change how the company's calls are routed.
ADMINISTERING_ROLES = frozenset({Role.OWNER, Role.ADMIN})


class Membership(CompanyOwned):
    """What a person is in a company. One person may be in several."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships", verbose_name=_("user"))
    role = models.CharField(_("role"), max_length=16, choices=Role, default=Role.AGENT)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints = [
            models.UniqueConstraint(fields=["user", "company"], name="one_membership_per_person_and_company"),
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.company} · {self.get_role_display()}"

    @property
    def supervises(self) -> bool:
        return self.role in SUPERVISING_ROLES

    @property
    def administers(self) -> bool:
        return self.role in ADMINISTERING_ROLES


class Team(CompanyOwned):
    """People whose work the supervisors among them see to: ``curbe.companies.teams`` says what that opens to them."""

    # The unique constraint below begins with it.
    company = models.ForeignKey(
        Company, on_delete=models.CASCADE, related_name="+", db_index=False, verbose_name=_("company")
    )
    name = models.CharField(_("name"), max_length=80)
    members = models.ManyToManyField(
        Membership, through="TeamMembership", related_name="teams", verbose_name=_("members")
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("team")
        verbose_name_plural = _("teams")
        constraints = [models.UniqueConstraint(fields=["company", "name"], name="one_team_of_a_name_per_company")]

    def __str__(self) -> str:
        return self.name


class TeamMembership(CompanyOwned):
    """A member of the company in a team of the company. One person may be in several."""

    # The unique constraint below begins with it.
    team = models.ForeignKey(
        Team, on_delete=models.CASCADE, related_name="people", db_index=False, verbose_name=_("team")
    )
    membership = models.ForeignKey(
        Membership, on_delete=models.CASCADE, related_name="team_memberships", verbose_name=_("membership")
    )

    class Meta:
        verbose_name = _("member of a team")
        verbose_name_plural = _("members of teams")
        constraints = [models.UniqueConstraint(fields=["team", "membership"], name="a_member_is_once_in_a_team")]

    def __str__(self) -> str:
        return str(self.membership.user)


class ApiToken(CompanyOwned):
    """A key with which a program acts as one member of one company (``Authorization: Token …``).

    Only a digest is kept: the key is shown once, when it is made in the admin.
    """

    membership = models.ForeignKey(
        Membership, on_delete=models.CASCADE, related_name="api_tokens", verbose_name=_("membership")
    )
    name = models.CharField(_("name"), max_length=80, help_text=_("What program uses it."))
    digest = models.CharField(_("digest"), max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    last_used_at = models.DateTimeField(_("last used at"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")

    def __str__(self) -> str:
        return self.name

    @staticmethod
    def digest_of(key: str) -> str:
        # The key has 256 random bits, so a plain hash is enough: there is nothing to guess.
        return hashlib.sha256(key.encode()).hexdigest()
