"""What all settings are made of: frozen values with a name, a meaning and a unit."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


def setting(
    default: Any, title: str, description: str, unit: str = "", **rule: Any
) -> Any:
    """Declare one setting with its name, meaning and unit for the user."""
    extra: dict[str, Any] | None = {"unit": unit} if unit else None
    return Field(
        default, title=title, description=description, json_schema_extra=extra, **rule
    )


class Settings(BaseModel):
    """Base of all settings: immutable, complete and written to disk as JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid")
