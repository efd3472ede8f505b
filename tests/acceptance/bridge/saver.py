"""A program without a server, such as a worker: changes products, in transactions of which some are rolled back.

In the end, when a line has come on stdin, a forked child, such as Celery has for its tasks, creates a last one and ends
without cleaning up.
"""

from __future__ import annotations

import os
import random
import sys
from contextlib import suppress

import django

STEPS = 60


class Undone(Exception):
    """Ends a transaction without its commit."""


def main(seed: int) -> None:
    """Change the rows at random; say on stdout when half is done, and leave a row "end" when told to."""
    from django.db import connection, transaction

    from tests.project.models import Product

    dice = random.Random(seed)
    for step in range(STEPS):
        if step == STEPS // 2:
            sys.stdout.write("half\n")
            sys.stdout.flush()
        with suppress(Undone), transaction.atomic():
            for _ in range(dice.randint(1, 3)):
                products = list(Product.objects.order_by("pk"))
                action = dice.choice(["create", "create", "save", "update", "delete"])
                if action == "create" or not products:
                    Product.objects.create(name=str(step))
                elif action == "save":
                    product = dice.choice(products)
                    product.name = str(step)
                    product.save()
                elif action == "update":
                    Product.objects.filter(pk=dice.choice(products).pk).update(name=f"u{step}")
                else:
                    dice.choice(products).delete()
            if dice.random() < 0.2:
                raise Undone
    connection.close()
    sys.stdin.readline()
    if (child := os.fork()) == 0:
        Product.objects.create(name="end")
        os._exit(0)
    os.waitpid(child, 0)


if __name__ == "__main__":
    django.setup()
    main(int(sys.argv[1]))
