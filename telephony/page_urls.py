"""The pages that people see."""

from __future__ import annotations

from django.urls import path

from telephony.views import (
    after_call_pages,
    agent_pages,
    hours_pages,
    menu_pages,
    number_pages,
    pages,
    queue_pages,
    repair_pages,
    routing_pages,
)

urlpatterns = [
    path("", pages.phone, name="phone"),
    path("today/", pages.todays_calls, name="todays-calls"),
    path("phone/incoming/<uuid:call_id>", pages.incoming, name="phone-incoming"),
    path("calls/", pages.calls, name="calls"),
    path("calls/<uuid:call_id>/", pages.call, name="call"),
    path("calls/<uuid:call_id>/row", pages.call_row, name="call-row"),
    path("repairs/", repair_pages.repairs, name="repairs"),
    path("repairs/now", repair_pages.repairs_now, name="repairs-now"),
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
    path("breaks/", after_call_pages.breaks, name="breaks"),
    path("breaks/new/", after_call_pages.new_break, name="new-break"),
    path("breaks/<int:break_id>/", after_call_pages.break_reason, name="break"),
    path("breaks/<int:break_id>/delete/", after_call_pages.delete_break, name="delete-break"),
    path("dispositions/new/", after_call_pages.new_disposition, name="new-disposition"),
    path("dispositions/<int:disposition_id>/", after_call_pages.disposition, name="disposition"),
    path("dispositions/<int:disposition_id>/delete/", after_call_pages.remove_disposition, name="delete-disposition"),
    path("wrap-up/", after_call_pages.wrap_up_policies, name="wrap-up-policies"),
    path("agents/<int:agent_id>/why/", agent_pages.agent_why, name="agent-why"),
    path("agents/<int:agent_id>/release/", agent_pages.release_agent, name="release-agent"),
    path("hours/", hours_pages.hours, name="hours"),
    path("hours/new/", hours_pages.hours_new, name="hours_new"),
    path("hours/new/preview/", hours_pages.hours_new_preview, name="hours_new_preview"),
    path("hours/<int:pk>/", hours_pages.hours_edit, name="hours_edit"),
    path("hours/<int:pk>/preview/", hours_pages.hours_preview, name="hours_preview"),
    path("hours/<int:pk>/delete/", hours_pages.hours_delete, name="hours_delete"),
]
