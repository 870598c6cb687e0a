"""What can go wrong while the corpus is made."""

from backend.errors import SoliloquyError


class SynthesiserMissingError(SoliloquyError):
    """A speech synthesiser or one of its voices is not installed."""

    def __init__(self, what: str, package: str) -> None:
        super().__init__(
            "synthesiser_missing",
            f"{what} is not installed",
            f"install the Debian package {package}, or leave its voices out of the recipe",
        )
