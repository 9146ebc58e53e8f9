"""Log in, log out, accept an invitation; go to another company; choose a language."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth import views as auth_views
from django.contrib.auth.forms import AuthenticationForm
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse, reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from curbe.companies import throttle
from curbe.companies.access import COMPANY_KEY, member_required, memberships_of
from curbe.companies.models import Language, User

YEAR_S = 365 * 24 * 3600


class LogIn(auth_views.LoginView):
    """Django's own, with a brake: 429 after ten wrong passwords for one name from one address."""

    template_name = "registration/login.html"
    redirect_authenticated_user = True

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        username, address = self._who()
        if throttle.is_blocked(username, address):
            # What was typed is not looked at: whoever is stopped does not learn whether it would have been right.
            form = AuthenticationForm(request, initial={"username": username[:150]})
            response = self.render_to_response(self.get_context_data(form=form, blocked=True), status=429)
            response["Retry-After"] = str(throttle.PAUSE_S)
            return response
        return super().post(request, *args, **kwargs)

    def get_default_redirect_url(self) -> str:
        user = self.request.user
        if isinstance(user, User) and user.is_superuser and not user.memberships.exists():
            return reverse("admin:index")  # The operator of the platform has no phone.
        return super().get_default_redirect_url()

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        throttle.failed(*self._who())
        return super().form_invalid(form)

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        throttle.forget(*self._who())
        return super().form_valid(form)

    def _who(self) -> tuple[str, str]:
        return self.request.POST.get("username", "").strip(), throttle.address_of(self.request)


@method_decorator(never_cache, name="dispatch")
class AcceptInvitation(auth_views.PasswordResetConfirmView):
    """The link that ``company_import`` prints: choose a password, and be logged in. It works once, for three days."""

    template_name = "registration/invitation.html"
    post_reset_login = True
    success_url = reverse_lazy("phone")


@require_POST
@member_required
def switch_company(request: HttpRequest) -> HttpResponse:
    """Open another company of the person's (``company``: its public id). One that is not his does not exist: 404."""
    wanted = request.POST.get("company", "")
    if wanted not in {one.company.public_id for one in memberships_of(request)}:
        raise Http404
    request.session[COMPANY_KEY] = wanted
    return HttpResponseRedirect(_next(request))


@require_POST
def switch_language(request: HttpRequest) -> HttpResponseBase:
    """Read the pages in another language (``language``: es or en): kept on the person, and in the browser."""
    language = request.POST.get("language", "")
    response = HttpResponseRedirect(_next(request))
    if language not in Language.values:
        return response
    if isinstance(request.user, User):
        User.objects.filter(pk=request.user.pk).update(language=language)
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=YEAR_S,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
    )
    return response


def _next(request: HttpRequest) -> str:
    """Return where the form wants to go, if that is a page of ours; else the phone."""
    wanted = request.POST.get("next", "")
    ours = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if ours else reverse("phone")
