"""Where the layers are known not to keep the contract: the test of that name has to fail, for this reason.

Those of `RACES` may pass.
"""

from __future__ import annotations

_NO_CHECKS = "it checks neither names nor messages"
_NO_BOUND = "its queues have no bound"
_NO_EXPIRY = "nothing expires"
_NO_COMPILING = "it does not understand the patterns of channel_capacity"
_ONE_COPY = "the channels of a process share one object"
_WAKES_NOBODY = "it wakes no other loop"
_WHEN_IT_ARRIVES = "who is in the group when a message arrives gets it, not who was when it was sent"
_CLOSES = "a cancelled receive() closes the channel"
_NO_QUEUE = "a message to a channel that nobody receives from yet is gone"

DIFFERENCES: dict[str, dict[str, str]] = {
    "test_a_channel_is_full": {"redis_pubsub": _NO_BOUND},
    "test_a_group_has_a_full_channel": {"redis_pubsub": _NO_BOUND},
    "test_a_rule_for_some_channels": {"redis_pubsub": _NO_BOUND, "inmemory": _NO_COMPILING},
    "test_each_receiver_has_its_own_copy": {"redis_core": _ONE_COPY},
    "test_a_channel_is_added_twice": {"redis_pubsub": _WHEN_IT_ARRIVES},
    "test_who_joins_later": {"redis_pubsub": _WHEN_IT_ARRIVES},
    "test_a_channel_in_two_groups": {"redis_pubsub": _WHEN_IT_ARRIVES},
    "test_a_normal_channel_is_full": {"redis_pubsub": _NO_BOUND},
    "test_a_message_that_nobody_receives_in_time": {"redis_pubsub": _NO_EXPIRY},
    "test_a_membership_that_is_not_renewed": {"redis_pubsub": _NO_EXPIRY},
    "test_a_normal_channel_keeps_what_comes_before_its_receiver": {"redis_pubsub": _NO_QUEUE},
    "test_a_normal_channel_in_a_group": {"redis_pubsub": "only channels that exist in the process can be added"},
    "test_flush": {"redis_pubsub": "the channels are gone, too"},
    "test_a_channel_name": {"redis_pubsub": _NO_CHECKS},
    "test_a_group_name": {"redis_pubsub": _NO_CHECKS},
    "test_a_message_that_is_no_dict": {"redis_pubsub": _NO_CHECKS},
    "test_a_receive_is_cancelled": {"redis_pubsub": _CLOSES},
    "test_receivers_are_cancelled_while_messages_arrive": {"redis_pubsub": _CLOSES},
    "test_a_thread_sends_while_the_loop_is_idle": {"inmemory": _WAKES_NOBODY},
    "test_keys_that_are_no_texts": {
        "redis_core": "msgpack's default refuses them at the receiver",
        "redis_pubsub": "msgpack's default refuses them at the receiver",
    },
    "test_a_message_that_cannot_travel": {"inmemory": "it copies any object"},
    "test_the_channel_name_says_whose_it_is": {"redis_pubsub": "its names have no exclamation mark"},
}

RACES = {_WHEN_IT_ARRIVES, _WAKES_NOBODY}
"""Reasons that depend on which of two was quicker."""
