"""An agent's credential goes with him: what is queued when he is switched off, and what his phone is told."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any
from unittest.mock import patch

import pytest
import responses
from django.utils import timezone
from kombu.exceptions import OperationalError

from agents.models import Activity, Agent, Beat
from agents.operations import LOGGED_OUT
from curbe.companies.models import Company, User
from telephony import tasks
from telephony.models import SipEndpoint
from telephony.operations.reconcile import make_missing_endpoints, revoke_needless_endpoints
from telephony.telnyx.client import TelnyxClient
from telephony.telnyx.errors import TelnyxUnreachable
from tests import cast
from tests.telnyx.conftest import API

pytestmark = pytest.mark.django_db


@pytest.fixture
def agent(acme: Company) -> Agent:
    return cast.ready_agent(acme, "bob")


@pytest.fixture
def mock() -> Any:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def switched_off(agent: Agent, how: str) -> None:
    match how:
        case "agent":
            agent.is_active = False
            agent.save(update_fields=["is_active"])
        case "person":
            agent.user.is_active = False
            agent.user.save()
        case "membership":
            agent.user.memberships.get(company=agent.company).delete()


@pytest.mark.parametrize("how", ["agent", "person", "membership"])
def test_who_answers_no_more_is_logged_out_and_loses_his_credential(
    agent: Agent, how: str, django_capture_on_commit_callbacks: Any
) -> None:
    with (
        patch("telephony.receivers.revoke_endpoint.apply_async") as queued,
        patch("curbe.lib.push._outbox.put") as told,
        django_capture_on_commit_callbacks(execute=True),
    ):
        switched_off(agent, how)

    queued.assert_called_once_with(kwargs={"agent_id": agent.pk}, queue="calls")
    assert Beat.objects.get(agent=agent).phone_id == LOGGED_OUT
    pushes = [call.args[0].event for call in told.call_args_list]
    assert [one["phone_id"] for one in pushes if one["type"] == "phone.claimed"] == [LOGGED_OUT]


def test_a_broker_that_is_away_keeps_nobody_from_being_switched_off(
    agent: Agent, django_capture_on_commit_callbacks: Any
) -> None:
    with (
        patch("telephony.receivers.revoke_endpoint.apply_async", side_effect=OperationalError("away")),
        django_capture_on_commit_callbacks(execute=True),
    ):
        switched_off(agent, "agent")

    assert Beat.objects.get(agent=agent).phone_id == LOGGED_OUT


@pytest.mark.parametrize("how", ["agent", "company"])
def test_a_credential_goes_with_its_row(agent: Agent, how: str, django_capture_on_commit_callbacks: Any) -> None:
    credential_id = SipEndpoint.objects.get(agent=agent).telnyx_credential_id
    with (
        patch("telephony.receivers.delete_credential.apply_async") as queued,
        django_capture_on_commit_callbacks(execute=True),
    ):
        (agent if how == "agent" else agent.company).delete()

    queued.assert_called_once_with(kwargs={"credential_id": credential_id}, queue="calls")


def test_the_worker_deletes_it_and_a_credential_that_is_gone_is_a_success(
    agent: Agent, client: TelnyxClient, mock: responses.RequestsMock
) -> None:
    Agent.objects.filter(pk=agent.pk).update(is_active=False)
    credential_id = SipEndpoint.objects.get(agent=agent).telnyx_credential_id
    mock.delete(f"{API}/telephony_credentials/{credential_id}", status=404, json={"errors": [{"code": "10005"}]})

    with patch("telephony.tasks.get_client", return_value=client):
        tasks.revoke_endpoint(agent_id=agent.pk)
        tasks.revoke_endpoint(agent_id=agent.pk)

    assert not SipEndpoint.objects.filter(agent=agent).exists()
    assert len(mock.calls) == 1


def test_who_was_switched_on_again_meanwhile_keeps_it(
    agent: Agent, client: TelnyxClient, mock: responses.RequestsMock
) -> None:
    with patch("telephony.tasks.get_client", return_value=client):
        tasks.revoke_endpoint(agent_id=agent.pk)

    assert SipEndpoint.objects.filter(agent=agent).exists()
    assert len(mock.calls) == 0


def test_during_a_call_it_waits_for_the_reconciler(
    agent: Agent, client: TelnyxClient, mock: responses.RequestsMock
) -> None:
    Agent.objects.filter(pk=agent.pk).update(is_active=False, activity=Activity.ON_CALL)
    mock.delete(re.compile(f"{API}/telephony_credentials/.*"), json={"data": {}})

    with patch("telephony.tasks.get_client", return_value=client):
        tasks.revoke_endpoint(agent_id=agent.pk)
    revoke_needless_endpoints(client, timezone.now())
    assert len(mock.calls) == 0

    Agent.objects.filter(pk=agent.pk).update(activity=Activity.IDLE)
    revoke_needless_endpoints(client, timezone.now())
    assert not SipEndpoint.objects.filter(agent=agent).exists()


def test_telnyx_away_leaves_the_row_for_the_next_run(
    agent: Agent, client: TelnyxClient, mock: responses.RequestsMock
) -> None:
    Agent.objects.filter(pk=agent.pk).update(is_active=False)
    mock.delete(re.compile(f"{API}/telephony_credentials/.*"), status=503)

    with pytest.raises(TelnyxUnreachable):
        revoke_needless_endpoints(client, timezone.now())

    assert SipEndpoint.objects.filter(agent=agent).exists()


def test_nobody_who_may_not_log_in_is_given_one_again(
    bob: User, client: TelnyxClient, mock: responses.RequestsMock
) -> None:
    User.objects.filter(pk=bob.pk).update(is_active=False)

    make_missing_endpoints(client, datetime.now().astimezone())

    assert len(mock.calls) == 0


def test_a_token_of_who_was_switched_off_is_refused(bob: User) -> None:
    browser = cast.client_for(bob)
    Agent.objects.filter(user=bob).update(is_active=False)

    answer = browser.post("/api/webrtc/token", {"phoneId": "desk"}, content_type="application/json")

    assert answer.status_code == 403
