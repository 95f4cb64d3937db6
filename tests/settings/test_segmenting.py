"""What a user is shown of the settings of a run, and what older releases stored."""

import pytest
from pydantic import ValidationError

from napari_semiconv.settings import ENGINES, LinkSettings, SegmentSettings

OF_ENGINES = dict.fromkeys(engine.settings for engine in ENGINES.values())
FORMS = [SegmentSettings, LinkSettings, *OF_ENGINES]
EVERYBODY = {"model", "cell_size"}
GROUPS = {"masks", "links", "speed", "published"}


def shown(form):
    return {name: field for name, field in form.model_fields.items() if field.title}


def group(field):
    return (field.json_schema_extra or {}).get("advanced", "")


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
def test_all_but_model_and_cell_size_is_in_a_group_for_experts(form):
    fields = shown(form)
    assert {name for name, field in fields.items() if not group(field)} <= EVERYBODY
    assert {group(field) for field in fields.values()} <= {"", *GROUPS}


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
def test_every_setting_has_a_title_of_its_own_and_a_sentence(form):
    titles = [field.title for field in shown(form).values()]
    assert len(titles) == len({*titles})
    assert all(field.description.endswith(".") for field in shown(form).values())


def test_settings_of_every_engine_are_a_part_of_the_whole():
    settings = SegmentSettings()
    for engine in ENGINES.values():
        assert isinstance(engine.own(settings), engine.settings)
        assert SegmentSettings(engine=engine.name).engine_info is engine


def test_an_engine_that_is_not_there_is_refused():
    with pytest.raises(ValidationError, match="engine"):
        SegmentSettings(engine="nonsense")


def test_settings_that_an_earlier_release_stored_are_read():
    stored = SegmentSettings(memory_span=3).model_dump(mode="json")
    read = SegmentSettings.model_validate({**stored, "look_ahead": "on"})
    assert read.memory_span == 3
    assert read == SegmentSettings(memory_span=3)
    with pytest.raises(ValidationError, match="nonsense"):
        SegmentSettings.model_validate({**stored, "nonsense": 1})
