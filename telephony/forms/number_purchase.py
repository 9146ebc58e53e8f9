"""Searching for numbers to buy, and what the chosen ones shall be."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, Final

from django import forms
from django.core import signing
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from curbe.companies.models import Company
from telephony.forms.lists import wrong_of
from telephony.forms.number_list import WhereForm
from telephony.operations.number_orders import MOST_AT_ONCE, Pick
from telephony.operations.number_settings import CALLER_NAME
from telephony.queries.place_choices import PlaceChoices
from telephony.telnyx.answers import AvailableNumber

#: What a search found can be bought for so long, in seconds: Telnyx wants a recent one, and prices change.
OFFER_LIVES_S: Final = 1800
_SALT: Final = "telephony.number-offer"

#: Countries in which Telnyx sells numbers, those that are asked for most first.
COUNTRIES: Final = {
    "US": gettext_lazy("United States"),
    "ES": gettext_lazy("Spain"),
    "MX": gettext_lazy("Mexico"),
    "CO": gettext_lazy("Colombia"),
    "AR": gettext_lazy("Argentina"),
    "CL": gettext_lazy("Chile"),
    "PE": gettext_lazy("Peru"),
    "CA": gettext_lazy("Canada"),
    "PR": gettext_lazy("Puerto Rico"),
    "DO": gettext_lazy("Dominican Republic"),
    "EC": gettext_lazy("Ecuador"),
    "PA": gettext_lazy("Panama"),
    "CR": gettext_lazy("Costa Rica"),
    "BR": gettext_lazy("Brazil"),
    "GB": gettext_lazy("United Kingdom"),
    "FR": gettext_lazy("France"),
    "DE": gettext_lazy("Germany"),
    "IT": gettext_lazy("Italy"),
    "PT": gettext_lazy("Portugal"),
    "NL": gettext_lazy("Netherlands"),
}
KINDS: Final = {
    "local": gettext_lazy("Local"),
    "toll_free": gettext_lazy("Toll-free"),
    "mobile": gettext_lazy("Mobile"),
    "national": gettext_lazy("National"),
}
FEATURES: Final = {
    "voice": gettext_lazy("Calls"),
    "sms": gettext_lazy("SMS"),
    "mms": gettext_lazy("MMS"),
    "fax": gettext_lazy("Fax"),
    "emergency": gettext_lazy("Emergency calls"),
}


def _text(label: Any, **more: Any) -> forms.CharField:
    attrs = {"class": "field", "autocomplete": "off", **more.pop("attrs", {})}
    return forms.CharField(label=label, required=False, widget=forms.TextInput(attrs), **more)


class SearchForm(forms.Form):
    country = forms.ChoiceField(label=gettext_lazy("Country"), widget=forms.Select({"class": "field"}))
    kind = forms.ChoiceField(label=gettext_lazy("Kind of number"), widget=forms.Select({"class": "field"}))
    city = _text(gettext_lazy("City"), max_length=80)
    area = _text(gettext_lazy("State or province"), max_length=60, attrs={"placeholder": "FL"})
    area_code = _text(gettext_lazy("Area code"), max_length=8, attrs={"inputmode": "numeric", "placeholder": "305"})
    digits = _text(gettext_lazy("Digits that it contains"), max_length=12, attrs={"inputmode": "numeric"})
    features = forms.MultipleChoiceField(
        label=gettext_lazy("It can be used for"),
        required=False,
        widget=forms.CheckboxSelectMultiple({"class": "tick"}),
    )

    def __init__(self, data: Any = None, **kwargs: Any) -> None:
        super().__init__(data, initial={"country": "US", "kind": "local", "features": ["voice"]}, **kwargs)
        for name, choices in (("country", COUNTRIES), ("kind", KINDS), ("features", FEATURES)):
            self.fields[name].choices = list(choices.items())  # type: ignore[attr-defined]

    def clean_area_code(self) -> str:
        return self._digits("area_code")

    def clean_digits(self) -> str:
        return self._digits("digits")

    def _digits(self, name: str) -> str:
        text = re.sub(r"[\s().+-]", "", self.cleaned_data[name])
        if text and not (text.isascii() and text.isdigit()):
            raise forms.ValidationError(_("Write digits only."), code="digits")
        return text

    def wrong(self) -> list[str]:
        return wrong_of(self)

    def asked(self) -> dict[str, Any]:
        """Return what the client is asked for."""
        data = self.cleaned_data
        return {
            "country": data["country"],
            "kind": data["kind"],
            "locality": data["city"].strip(),
            "area": data["area"].strip().upper() if len(data["area"].strip()) == 2 else data["area"].strip(),
            "area_code": data["area_code"],
            "contains": data["digits"],
            "features": data["features"],
        }


def sealed(company: Company, number: AvailableNumber, kind: str) -> str:
    """Return what a checkbox of the search says: the number with the prices that were shown, so that nobody can write
    others, and only as long as the search counts as recent."""
    prices = [None if cost is None else str(cost) for cost in (number.monthly_cost, number.upfront_cost)]
    return signing.dumps([company.pk, number.e164, kind, *prices, number.currency], salt=_SALT)


def unsealed(company: Company, text: str) -> Pick:
    """Return what was sealed for this company. Raises ValueError for anything else, and for what is too old."""
    try:
        company_id, e164, kind, monthly, upfront, currency = signing.loads(text, salt=_SALT, max_age=OFFER_LIVES_S)
    except signing.BadSignature as err:
        raise ValueError("no offer of ours, or an old one") from err
    if company_id != company.pk:
        raise ValueError("another company's offer")
    costs = [None if cost is None else Decimal(cost) for cost in (monthly, upfront)]
    return Pick(e164, kind, costs[0], costs[1], currency)


class PurchaseForm(WhereForm):
    """What the numbers that somebody buys shall be; which they are stands in ``picks``."""

    caller_name = forms.CharField(
        label=gettext_lazy("Caller-ID name"),
        required=False,
        widget=forms.TextInput({"class": "field", "autocomplete": "off", "maxlength": 15}),
    )

    def __init__(self, data: Any, *, company: Company, choices: PlaceChoices, **kwargs: Any) -> None:
        super().__init__(data, company=company, choices=choices, keeps=False, **kwargs)
        self.company = company
        self.picks: tuple[Pick, ...] = ()

    def clean_caller_name(self) -> str:
        return clean_caller_name(self.cleaned_data["caller_name"])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        offers = self.data.getlist("offer") if hasattr(self.data, "getlist") else []
        if not offers:
            raise forms.ValidationError(_("Choose at least one number."), code="nothing_chosen")
        if len(offers) > MOST_AT_ONCE:
            text = _("Choose %(most)d numbers at the most.") % {"most": MOST_AT_ONCE}
            raise forms.ValidationError(text, code="too_many")
        try:
            self.picks = tuple(unsealed(self.company, offer) for offer in offers)
        except ValueError as err:
            raise forms.ValidationError(
                _("This search is too old. Search again, and choose anew."), code="old"
            ) from err
        return cleaned


def clean_caller_name(text: str) -> str:
    """Return a name that can be listed. Raises ValidationError."""
    name = " ".join(text.split())
    if not CALLER_NAME.fullmatch(name):
        raise forms.ValidationError(_("15 letters without accents, digits and spaces at the most."), code="caller_name")
    return name
