from __future__ import annotations

from django.contrib.auth.views import LogoutView
from django.urls import path

from curbe.companies import views

urlpatterns = [
    path("login/", views.LogIn.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("invitation/<uidb64>/<token>/", views.AcceptInvitation.as_view(), name="invitation"),
    path("company/", views.switch_company, name="company-switch"),
    path("language/", views.switch_language, name="language-switch"),
]
