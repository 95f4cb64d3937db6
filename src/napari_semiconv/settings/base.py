"""What all settings are made of: frozen values with a name, a meaning and a unit."""

from typing import Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field
from pydantic.fields import FieldInfo

# Groups in which the window shows what only experts set.
Advanced = Literal["", "masks", "links", "speed", "published"]
# What the window calls each value of a setting that has few, and a sentence on it.
Choices = dict[str, tuple[str, str]]


def setting(
    default: Any,
    title: str,
    description: str,
    unit: str = "",
    empty: str = "",
    advanced: Advanced = "",
    choices: Choices | None = None,
    **rule: Any,
) -> Any:
    """Declare one setting with its name, meaning and unit for the user.

    ``empty`` says what holds where the value is None; ``advanced`` is the group in
    which experts find it, none for what every user sees; ``choices`` are its values as
    the window shows them.
    """
    facts = {"unit": unit, "empty": empty, "advanced": advanced, "choices": choices}
    extra: dict[str, Any] = {name: fact for name, fact in facts.items() if fact}
    return Field(
        default,
        title=title,
        description=description,
        json_schema_extra=extra or None,
        **rule,
    )


def choices_of(field: FieldInfo) -> Choices:
    """Give what the window calls each value of a setting; none where it has many."""
    extra = field.json_schema_extra
    return cast("Choices", extra.get("choices", {})) if isinstance(extra, dict) else {}


class Settings(BaseModel):
    """Base of all settings: immutable, complete and written to disk as JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid")
