from django.urls import path

from django_gqlws.views import GraphiQLView

urlpatterns = [path("tools/", GraphiQLView.as_view(title="The shop", permission=lambda request: True))]
