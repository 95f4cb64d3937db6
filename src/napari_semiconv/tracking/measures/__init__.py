"""The measures of the field: how good masks, links, tracks and divisions are."""
