"""The refusals of the control protocol: what an operator's request is told that cannot be met."""

from __future__ import annotations

import enum


class ErrorCode(enum.IntEnum):
    """JSON-RPC 2.0's codes, and sorryd's own."""

    PARSE_ERROR = -32700
    INVALID_REQUEST = -32600
    METHOD_NOT_FOUND = -32601
    INVALID_PARAMS = -32602
    INTERNAL_ERROR = -32603
    CONFLICT = -32000
    NOT_FOUND = -32001
    NOT_ALLOWED = -32002


class ControlError(Exception):
    """A request that is refused: `message` is for the operator, `field` names the parameter.

    `faults` are what is wrong with a configuration, each as --check says it.
    """

    def __init__(
        self,
        code: ErrorCode,
        message: str,
        field: str | None = None,
        faults: tuple[str, ...] = (),
    ) -> None:
        super().__init__(code, message, field, faults)
        self.code = code
        self.message = message
        self.field = field
        self.faults = faults

    def __str__(self) -> str:
        return self.message


def invalid_params(message: str, field: str | None = None) -> ControlError:
    """A parameter that says nothing sensible."""
    return ControlError(ErrorCode.INVALID_PARAMS, message, field)


def conflict(message: str, field: str | None = None) -> ControlError:
    """A sensible request that the present state forbids."""
    return ControlError(ErrorCode.CONFLICT, message, field)


def not_found(message: str, field: str | None = None) -> ControlError:
    """A site, window or member that there is not."""
    return ControlError(ErrorCode.NOT_FOUND, message, field)


def not_allowed(message: str) -> ControlError:
    """The caller may not do this."""
    return ControlError(ErrorCode.NOT_ALLOWED, message)
