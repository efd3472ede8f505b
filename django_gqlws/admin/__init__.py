"""The live registry in the Django admin.

The default site finds it by itself. A site of one's own::

    from django_gqlws.admin import register

    register(my_site)
"""

from __future__ import annotations

from django.contrib import admin

from ..monitoring import BlockedUser, Connection, Membership, Process, Sample, Subscription
from .blocks import BlockedUserAdmin
from .connections import ConnectionAdmin
from .groups import GroupAdmin
from .overview import OverviewAdmin
from .processes import ProcessAdmin
from .subscriptions import SubscriptionAdmin

__all__ = [
    "BlockedUserAdmin",
    "ConnectionAdmin",
    "GroupAdmin",
    "OverviewAdmin",
    "ProcessAdmin",
    "SubscriptionAdmin",
    "register",
]


def register(site: admin.AdminSite) -> None:
    """Shows the pages on a site. Whoever wants some of them, or others, registers single classes."""
    site.register(Sample, OverviewAdmin)
    site.register(Connection, ConnectionAdmin)
    site.register(Subscription, SubscriptionAdmin)
    site.register(Membership, GroupAdmin)
    site.register(Process, ProcessAdmin)
    site.register(BlockedUser, BlockedUserAdmin)


register(admin.site)
