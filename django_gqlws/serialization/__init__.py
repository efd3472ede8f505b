"""Payloads as bytes: msgpack, and the Python and Django types that it lacks.

    data = pack({"message": message, "price": Decimal("9.90")})
    unpack(data)["message"].author_id

What msgpack lacks travels as a list: first an empty msgpack ext with the type's code, then the parts of the
value (`extensions.EXTENSIONS`). So no bytes are packed inside of bytes, and depth costs no stack. Unpacking
imports nothing: models come from Django's app registry, enums from modules that are already imported.
"""

from .payload import pack, unpack

__all__ = ["pack", "unpack"]
