"""Commands of two words, and headings for them in the help."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from typer.core import TyperGroup


class Commands(TyperGroup):
    """Knows `report weekly` beside `report NAME`, and lists commands under the heading of their panel."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that the first two words name, else the first."""
        if (two := " ".join(args[:2])) in self.commands:
            args = [two, *args[2:]]
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
        """List the commands; without rich, Typer forgets the panels."""
        width = max(map(len, self.commands))
        for heading, group in groupby(self.commands.items(), lambda item: getattr(item[1], "rich_help_panel", None)):
            with formatter.section(heading):
                helps = [(name, command.get_short_help_str(formatter.width - width - 6)) for name, command in group]
                formatter.write_dl([(name.ljust(width), text) for name, text in helps])
