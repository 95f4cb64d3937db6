"""What all settings are made of: frozen values with a name, a meaning and a unit."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

# Groups in which the window shows what only experts set.
Advanced = Literal["", "masks", "links", "speed", "published"]


def setting(
    default: Any,
    title: str,
    description: str,
    unit: str = "",
    empty: str = "",
    advanced: Advanced = "",
    **rule: Any,
) -> Any:
    """Declare one setting with its name, meaning and unit for the user.

    ``empty`` says what holds where the value is None; ``advanced`` is the group in
    which experts find it, none for what every user sees.
    """
    texts = {"unit": unit, "empty": empty, "advanced": advanced}
    extra: dict[str, Any] = {name: text for name, text in texts.items() if text}
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
