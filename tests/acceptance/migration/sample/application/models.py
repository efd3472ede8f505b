"""What a payload may carry."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models


class Author(models.Model):
    name = models.CharField(max_length=100)

    def __str__(self) -> str:
        return self.name


class Notice(models.Model):
    title = models.CharField(max_length=100)
    author = models.ForeignKey(Author, models.CASCADE, null=True)
    posted = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.title


class Auction(Notice):
    """A child in a table of its own."""

    bid = models.IntegerField(default=0)


class Contents:
    """A value that only its field knows."""

    def __init__(self, text: str) -> None:
        self.text = text


class ContentsField(models.TextField):
    """Packs what it does not unpack: another process has another version of the application."""

    def to_python(self, value: Any) -> Any:
        if value == "poison":
            raise ValidationError("This is not for us.")
        return value

    def value_to_string(self, obj: models.Model) -> str:
        return self.value_from_object(obj).text


class Parcel(models.Model):
    contents = ContentsField()

    def __str__(self) -> str:
        return "a parcel"
