"""The pages of voicemail."""

from __future__ import annotations

from django.urls import path

from recordings import box_views, voicemail_views

urlpatterns = [
    path("voicemail/", voicemail_views.voicemail, name="voicemail"),
    path("voicemail/badge", voicemail_views.badge, name="voicemail-badge"),
    path("voicemail/<uuid:message_id>/row", voicemail_views.message_row, name="message-row"),
    path("voicemail/<uuid:message_id>/heard", voicemail_views.hear, name="message-heard"),
    path("voicemail/<uuid:message_id>/assign", voicemail_views.assign, name="message-assign"),
    path("voicemail/<uuid:message_id>/delete", voicemail_views.delete, name="message-delete"),
    path("voicemail/boxes/", box_views.boxes, name="voicemail-boxes"),
    path("voicemail/boxes/company/", box_views.company_box, name="voicemail-box-company"),
    path("voicemail/boxes/company/greeting", box_views.company_greeting, name="company-greeting"),
    path("voicemail/boxes/queue/<int:queue_id>/", box_views.queue_box, name="voicemail-box-queue"),
    path("voicemail/boxes/queue/<int:queue_id>/greeting", box_views.queue_greeting, name="queue-greeting"),
    path("voicemail/boxes/user/<int:agent_id>/", box_views.user_box, name="voicemail-box-user"),
    path("voicemail/boxes/user/<int:agent_id>/greeting", box_views.user_greeting, name="user-greeting"),
    path("greetings/<str:key>.mp3", box_views.greeting_audio, name="greeting-audio"),
]
