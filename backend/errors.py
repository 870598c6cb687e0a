"""Every error a user can cause or meet.

SoliloquyError          code, message, hint
├── AudioError          a sound that cannot be read or has nothing in it
├── PackError           a model pack that is missing, damaged or of another version
├── MotionError         a motion file that is damaged or does not fit
├── MessageError        a line between Blender and the worker that does not decode
├── RequestError        an argument or a request that asks for the impossible
├── DeviceError         an accelerator or a library that is not there
└── Cancelled           the user said stop
"""


class SoliloquyError(Exception):
    """A problem the user can act on; `code` is stable, `message` says what and which value,
    `hint` says what to do."""

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(code, message, hint)
        self.code = code
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        """One line for people: the message, then what to do."""
        return f"{self.message} {self.hint}".strip().replace("\r", " ").replace("\n", " ")


class AudioError(SoliloquyError):
    """A sound that cannot be read or has nothing in it."""


class PackError(SoliloquyError):
    """A model pack that is missing, damaged or of another version."""


class MotionError(SoliloquyError):
    """A motion file that is damaged or does not fit."""


class MessageError(SoliloquyError):
    """A line between Blender and the worker that does not decode."""


class RequestError(SoliloquyError):
    """An argument or a request that asks for the impossible."""


class DeviceError(SoliloquyError):
    """An accelerator or a library that is not there."""


class Cancelled(SoliloquyError):  # noqa: N818  a state the user asked for, not a fault
    """The user said stop; raised out of `on_progress` callbacks."""

    def __init__(self) -> None:
        super().__init__("cancelled", "Cancelled.")

    def __reduce__(self) -> tuple[type["Cancelled"], tuple[()]]:
        return (Cancelled, ())
