"""Where a `ModelSubscription` listens is where the bridge sends."""

from __future__ import annotations

from django_gqlws import ModelSubscription
from django_gqlws.bridge.delivery import layer_group
from tests.project.models import Product


class OnProduct(ModelSubscription):
    """What becomes of products."""

    class Meta:
        model = Product


def test_the_groups_of_a_subscription_are_those_of_its_model() -> None:
    """On subscribing, on joining later, and when they are addressed; its own group is as of any class."""
    of_the_bridge = layer_group("project.Product", "pk-7")

    own, joined = OnProduct._group_names(["pk-7"])

    assert joined == OnProduct._name_of("pk-7") == OnProduct._group_name("pk-7") == of_the_bridge
    assert own == OnProduct._group_name(None) != layer_group("project.Product", "all")
