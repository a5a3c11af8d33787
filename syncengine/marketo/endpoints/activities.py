"""Activities: what types an instance knows."""

from syncengine.marketo.call import Call
from syncengine.marketo.reply import Malformed, Reply
from syncengine.marketo.rows import ActivityAttribute, ActivityType, listed, mapping, text, whole


def types() -> Call[tuple[ActivityType, ...]]:
    """All activity types, standard and custom, in one answer.

    https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/activities
    """
    return Call(
        name="activities.types",
        method="GET",
        path="/rest/v1/activities/types.json",
        decode=decode,
        permission="Read-Only Activity",
    )


def decode(reply: Reply) -> tuple[ActivityType, ...]:
    """The types; Malformed when there are none or one has no id, as streams would then vanish without an error."""
    if not reply.result:
        raise Malformed("no activity types were named")
    return tuple(activity_type(row) for row in reply.result)


def activity_type(row: object) -> ActivityType:
    """One type."""
    stated = mapping(row)
    number = whole(stated.get("id"))
    if number is None:
        raise Malformed("an activity type has no id")
    return ActivityType(
        id=number,
        name=text(stated.get("name")),
        primary_attribute=attribute(stated.get("primaryAttribute")),
        attributes=tuple(found for each in listed(stated.get("attributes")) if (found := attribute(each))),
    )


def attribute(stated: object) -> ActivityAttribute | None:
    """One attribute, or None where there is no named one."""
    if not isinstance(stated, dict) or not text(stated.get("name")):
        return None
    return ActivityAttribute(name=stated["name"], data_type=text(stated.get("dataType")))
