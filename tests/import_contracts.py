"""A contract for import-linter: what a package calls private stays in it."""

from __future__ import annotations

import grimp
from importlinter import Contract, ContractCheck, output


class PrivateModules(Contract):
    """A module whose name begins with an underscore is imported only from within its own package."""

    type_name = "private_modules"

    def check(self, graph: grimp.ImportGraph, verbose: bool) -> ContractCheck:
        crossings = [
            (importer, imported)
            for importer in sorted(graph.modules)
            for imported in sorted(graph.find_modules_directly_imported_by(importer))
            if not all(_within(importer, package) for package in _owners(imported))
        ]
        return ContractCheck(kept=not crossings, metadata={"crossings": crossings})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for importer, imported in check.metadata["crossings"]:
            output.print_error(f"{importer} imports {imported}", bold=False)


def _owners(module: str) -> list[str]:
    """Packages to which a part of the module's name is private."""
    parts = module.split(".")
    return [".".join(parts[:n]) for n, part in enumerate(parts) if part.startswith("_")]


def _within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")
