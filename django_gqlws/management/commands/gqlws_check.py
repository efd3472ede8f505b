"""``manage.py gqlws_check --url ws://localhost:8000/graphql/``."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ..inspection import Finding, Verdict, inspect
from ..loop import require_thread
from ..output import add_format, write_json


class Command(BaseCommand):
    """Looks for what would keep this project from delivering."""

    help = (
        "Look for what would keep this project from delivering: settings, channel layer, ASGI application, schema,"
        " origins, and a running server if --url names one. Exit codes: 0 no problem; 1 a problem."
    )
    requires_system_checks = ()  # Their findings are ours to tell.

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--url", help="A running server: ws://localhost:8000/graphql/.")
        add_format(parser)

    def handle(self, **options: Any) -> None:
        require_thread()
        findings = list(inspect(options["url"]))
        if options["format"] == "json":
            write_json(self.stdout, [asdict(finding) for finding in findings])
        else:
            for finding in findings:
                self.stdout.write(self._in_words(finding))
        problems = sum(finding.verdict is Verdict.PROBLEM for finding in findings)
        if problems:
            raise CommandError(f"{problems} of {len(findings)} findings are problems.")

    def _in_words(self, finding: Finding) -> str:
        paint = {Verdict.OK: self.style.SUCCESS, Verdict.NOTE: self.style.WARNING, Verdict.PROBLEM: self.style.ERROR}
        text = f"{paint[finding.verdict](f'{finding.verdict:8}')} {finding.part:12} {finding.message}"
        return text if finding.fix is None else f"{text}\n{'':22}{finding.fix}"
