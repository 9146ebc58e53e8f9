"""The pages that people see."""

from __future__ import annotations

from django.urls import path

from telephony.views import (
    account_pages,
    agent_pages,
    hours_pages,
    menu_pages,
    number_pages,
    pages,
    queue_pages,
    routing_pages,
)

urlpatterns = [
    path("", pages.phone, name="phone"),
    path("today/", pages.todays_calls, name="todays-calls"),
    path("phone/incoming/<uuid:call_id>", pages.incoming, name="phone-incoming"),
    path("calls/", pages.calls, name="calls"),
    path("calls/<uuid:call_id>/", pages.call, name="call"),
    path("calls/<uuid:call_id>/row", pages.call_row, name="call-row"),
    path("routing/", routing_pages.routing, name="routing"),
    path("routing/desks", routing_pages.routing_desks, name="routing-desks"),
    path("routing/explain/", routing_pages.routing_explain, name="routing-explain"),
    path("queues/", queue_pages.queues, name="queues"),
    path("queues/new/", queue_pages.new_queue, name="new-queue"),
    path("queues/<int:queue_id>/", queue_pages.queue, name="queue"),
    path("queues/<int:queue_id>/delete/", queue_pages.delete_queue, name="delete-queue"),
    path("queues/<int:queue_id>/visits/", queue_pages.queue_visits, name="queue-visits"),
    path("menus/", menu_pages.menus, name="menus"),
    path("menus/new/", menu_pages.new_menu, name="new-menu"),
    path("menus/<int:menu_id>/", menu_pages.menu, name="menu"),
    path("menus/<int:menu_id>/delete/", menu_pages.delete_menu, name="delete-menu"),
    path("numbers/", number_pages.numbers, name="numbers"),
    path("numbers/<int:number_id>/", number_pages.number, name="number"),
    path("account/", account_pages.account, name="account"),
    path("account/check/", account_pages.account_check, name="account-check"),
    path("account/repair/", account_pages.account_repair_all, name="account-repair-all"),
    path("account/repair/<int:finding_id>/", account_pages.account_repair, name="account-repair"),
    path("account/own-set/", account_pages.account_own_set, name="account-own-set"),
    path("account/credentials/<int:agent_id>/renew/", account_pages.account_credential, name="account-credential"),
    path("agents/<int:agent_id>/why/", agent_pages.agent_why, name="agent-why"),
    path("hours/", hours_pages.hours, name="hours"),
    path("hours/new/", hours_pages.hours_new, name="hours_new"),
    path("hours/new/preview/", hours_pages.hours_new_preview, name="hours_new_preview"),
    path("hours/<int:pk>/", hours_pages.hours_edit, name="hours_edit"),
    path("hours/<int:pk>/preview/", hours_pages.hours_preview, name="hours_preview"),
    path("hours/<int:pk>/delete/", hours_pages.hours_delete, name="hours_delete"),
]
