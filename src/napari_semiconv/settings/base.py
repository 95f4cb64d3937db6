"""What all settings are made of: frozen values with a name, a meaning and a unit."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


def setting(
    default: Any,
    title: str,
    description: str,
    unit: str = "",
    empty: str = "",
    **rule: Any,
) -> Any:
    """Declare one setting with its name, meaning and unit for the user.

    ``empty`` says what holds where the value is None.
    """
    told = {"unit": unit, "empty": empty}
    extra: dict[str, Any] = {name: text for name, text in told.items() if text}
    return Field(
        default,
        title=title,
        description=description,
        json_schema_extra=extra or None,
        **rule,
    )


class Settings(BaseModel):
    """Base of all settings: immutable, complete and written to disk as JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid")
