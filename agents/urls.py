from __future__ import annotations

from django.urls import path

from agents import views

urlpatterns = [
    path("heartbeat", views.heartbeat, name="heartbeat"),
    path("intent", views.intent, name="intent"),
]
