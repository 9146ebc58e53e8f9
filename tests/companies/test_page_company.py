"""A page keeps its company while another tab opens another one: it names it with each request."""

from __future__ import annotations

import pytest

from curbe.companies.models import Company
from tests import cast


@pytest.mark.parametrize("path", ["/calls/", "/today/", "/api/calls"])
def test_what_a_page_asks_it_asks_of_its_own_company(acme: Company, elsewhere: Company, path: str) -> None:
    user = cast.make_agent(acme, "nora").user
    cast.make_agent(elsewhere, user=user)
    cast.make_membership(elsewhere, user)
    cast.make_call(acme, from_number="+13055551111")
    cast.make_call(elsewhere, from_number="+13055552222")
    browser = cast.client_for(user)
    browser.post("/company/", {"company": elsewhere.public_id})

    of_the_page = browser.get(path, headers={"X-Curbe-Company": acme.public_id}).content.decode()

    assert "1111" in of_the_page.replace("-", "")
    assert "2222" not in of_the_page.replace("-", "")


def test_somebody_else_s_company_in_the_header_counts_for_nothing(acme: Company, elsewhere: Company) -> None:
    user = cast.make_agent(acme, "nora").user
    cast.make_call(elsewhere, from_number="+13055552222")

    answer = cast.client_for(user).get("/api/calls", headers={"X-Curbe-Company": elsewhere.public_id})

    assert answer.json()["results"] == []
