"""A shop: every kind of field and relation that a payload may carry."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.db import models

from django_gqlws import BridgedManager


class Money(NamedTuple):
    """A value that only its field knows."""

    amount: str
    currency: str


class MoneyField(models.CharField):
    """Holds Money, stored and serialized as text."""

    def to_python(self, value: Any) -> Money | None:
        return value if value is None or isinstance(value, Money) else Money(*value.split())

    def from_db_value(self, value: str | None, expression: object, connection: object) -> Money | None:
        return self.to_python(value)

    def get_prep_value(self, value: Any) -> str | None:
        return None if value is None else " ".join(value)

    def value_to_string(self, obj: models.Model) -> str:
        return " ".join(self.value_from_object(obj))


class Supplier(models.Model):
    name = models.CharField(max_length=100)

    def __str__(self) -> str:
        return self.name


class Tag(models.Model):
    name = models.CharField(max_length=100)

    def __str__(self) -> str:
        return self.name


class Product(models.Model):
    class Kind(models.TextChoices):
        PAPER = "paper"
        DIGITAL = "digital"

    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.PAPER)
    price = models.DecimalField(max_digits=9, decimal_places=2, null=True)
    cost = MoneyField(max_length=30, null=True)
    code = models.UUIDField(null=True)
    attributes = models.JSONField(default=dict)
    added = models.DateTimeField(null=True)
    warranty = models.DurationField(null=True)
    manual = models.FileField(blank=True)
    preview = models.BinaryField(default=b"")
    stock = models.BigIntegerField(default=0)
    supplier = models.ForeignKey(Supplier, models.CASCADE, null=True)
    tags = models.ManyToManyField(Tag)

    objects = BridgedManager()

    def __str__(self) -> str:
        return self.name


class Note(models.Model):
    """A row that outlives what it refers to."""

    text = models.CharField(max_length=100)
    product = models.ForeignKey(Product, models.SET_NULL, null=True)

    def __str__(self) -> str:
        return self.text


class Book(Product):
    """A child in a table of its own."""

    pages = models.IntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.name}, {self.pages} pages"


class Exhibit(models.Model):
    """Something that is shown somewhere."""

    number = models.AutoField(primary_key=True)
    room = models.CharField(max_length=100)
    themes = models.ManyToManyField(Tag)

    def __str__(self) -> str:
        return f"{self.number} in {self.room}"


class Manuscript(Book, Exhibit):
    """A child of a child, and of a second parent, whose key is not its own."""

    exhibit = models.OneToOneField(Exhibit, models.CASCADE, parent_link=True)
    language = models.CharField(max_length=10, default="la")

    def __str__(self) -> str:
        return f"{self.name}, {self.language}"


class Scroll(Manuscript):
    """A child whose key is not that of all above it."""

    length = models.IntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.name}, {self.length} feet"


class Bestseller(Product):
    """The same rows seen as another class."""

    class Meta:
        proxy = True

    def __str__(self) -> str:
        return f"{self.name}!"


class Ticket(models.Model):
    """A row whose key the database makes."""

    code = models.CharField(max_length=10, primary_key=True, db_default="first")
    value = models.IntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.code}: {self.value}"


class Shelf(models.Model):
    """A row with a composite key."""

    pk = models.CompositePrimaryKey("aisle", "number")
    aisle = models.IntegerField()
    number = models.IntegerField()

    def __str__(self) -> str:
        return f"{self.aisle}/{self.number}"
