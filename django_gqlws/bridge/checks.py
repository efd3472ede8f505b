"""System checks: what is wrong with ``GQLWS["MODELS"]``, and with the subscriptions to these models.

========================  ============================================================================
``gqlws.E020``            a model that does not exist, or a proxy
``gqlws.E021``            a field that does not exist, or that never travels
``gqlws.E022``            a template of a group with something in it that is no column
``gqlws.E023``            a function for groups that cannot be imported or called
``gqlws.E024``            a ``ModelSubscription`` whose model is not in ``GQLWS["MODELS"]``
``gqlws.E025``            a function for payloads that cannot be imported or called
``gqlws.W020``            a ``ModelSubscription`` with a filter that no group is for
========================  ============================================================================
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, Warning, register
from django.core.exceptions import ImproperlyConfigured

from .capture import declarations, find_bridge
from .declaration import DeclarationError, declare


@register()
def check_models(app_configs: Sequence[AppConfig] | None = None, **_: Any) -> list[CheckMessage]:
    """Checks what is declared of each model, in ``GQLWS["MODELS"]`` or by ``@bridged``."""
    try:
        return list(_model_problems(declarations()))
    except ImproperlyConfigured:
        return []  # Another check's affair.


def _model_problems(found: Any) -> Iterator[CheckMessage]:
    for where, label, options in found:
        try:
            declare(label, options, where)
        except DeclarationError as error:
            yield Error(error.message, hint=error.hint, id=error.check)


@register()
def check_model_subscriptions(app_configs: Sequence[AppConfig] | None = None, **_: Any) -> list[CheckMessage]:
    """Checks the subscription classes, as far as they are imported."""
    module = sys.modules.get(f"{__package__}.subscription")
    return [] if module is None else list(_subscription_problems(module.ModelSubscription))


def _subscription_problems(base: Any) -> Iterator[CheckMessage]:
    for subscription in base.__subclasses__():
        yield from _subscription_problems(subscription)
        if not hasattr(subscription, "_model"):
            continue  # An abstract one.
        name = f"{subscription.__module__}.{subscription.__qualname__}"
        try:
            bridge = find_bridge(subscription._model)
        except ImproperlyConfigured as error:
            yield Error(
                f"{name} will never be told of anything: {error}",
                hint="Without an entry nobody notices the changes of the model.",
                id="gqlws.E024",
            )
            continue
        if subscription._is_own("subscribe"):
            continue
        known = {field for template in bridge.templates for field in template.fields}
        for argument in subscription._filters:
            if argument not in known:
                yield Warning(
                    f"{name} has the filter {argument!r}, and no group of {bridge} is for it.",
                    hint=f'Add a template with it to "groups", such as "{argument}-{{{argument}}}".',
                    id="gqlws.W020",
                )
