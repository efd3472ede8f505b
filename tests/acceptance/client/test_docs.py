"""The examples of docs/client.md run."""

from __future__ import annotations

import re
from typing import Any

import pytest

from django_gqlws import GraphqlWsConsumer
from tests.integration.serving import serving
from tests.support.server import ROOT


def code_blocks(name: str) -> list[str]:
    """The Python examples of a page."""
    return re.findall(r"^```python\n(.*?)^```", (ROOT / name).read_text(), re.MULTILINE | re.DOTALL)


EXAMPLES = code_blocks("docs/client.md")


@pytest.mark.parametrize(
    ("example", "printed"), list(zip(EXAMPLES, ["Hello\n", "Hello 0\n"], strict=True)), ids=["execute", "stream"]
)
async def test_an_example(example: str, printed: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Against a server with the schema of the README, it prints what it says."""
    readme: dict[str, Any] = {"__name__": "chat.schema"}
    exec(code_blocks("README.md")[0], readme)

    class Consumer(GraphqlWsConsumer):
        schema = readme["schema"]
        confirm_subscriptions = True

    program: dict[str, Any] = {}
    async with serving(Consumer.as_asgi()) as url:
        source = example.replace("ws://localhost:8000/graphql/", url("")).replace("asyncio.run(main())", "")
        exec(source, program)
        await program["main"]()

    assert capsys.readouterr().out == printed
