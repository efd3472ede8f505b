from django.contrib import admin
from django.urls import include, path

from demo import views

urlpatterns = [
    path("", views.landing, name="landing"),
    path("chat/", views.chat, name="chat"),
    path("login/", views.login_with_token, name="login"),
    path("logout/", views.logout, name="logout"),
    path("", include("django_gqlws.urls")),
    path("admin/", admin.site.urls),
]
