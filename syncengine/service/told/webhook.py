"""Notices to a chat: one POST of Slack's JSON to an address that is itself a secret, and so is in no text of ours."""

from urllib.parse import quote, urlsplit

from syncengine.choices import wire_to
from syncengine.clock import Clock
from syncengine.config import NetworkSettings
from syncengine.config.rules import Secret
from syncengine.service.told.channels import SEND_SECONDS, Undelivered
from syncengine.service.told.notices import Message
from syncengine.transport.wire import WireAnswer, WireError, WireRequest

# https://docs.slack.dev/changelog/2018-truncating-really-long-messages: longer ones are cut or split.
TEXT_MAX = 3_000
RETRY_AFTER_SECONDS_MAX = 900.0
# https://docs.slack.dev/messaging/formatting-message-text#escaping
ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_TARGET_SAFE = "/%:@!$&'()*+,;=~?-._"


class Webhook:
    """Posts each message to `url`; a redirect is not followed."""

    name = "webhook"

    def __init__(self, url: Secret, network: NetworkSettings, clock: Clock) -> None:
        self._url = url
        self._network = network
        self._clock = clock

    async def send(self, message: Message) -> None:
        """Post the message; raises Undelivered."""
        import orjson

        address = urlsplit(self._url.reveal().strip())
        target = (address.path or "/") + (f"?{address.query}" if address.query else "")
        request = WireRequest(
            "POST",
            quote(target, safe=_TARGET_SAFE),
            {"Content-Type": "application/json; charset=utf-8"},
            orjson.dumps({"text": escaped(message.text)}),
        )
        seconds = self._clock.io_seconds(SEND_SECONDS)
        try:
            with self._clock.fail_after(seconds):
                async with (
                    wire_to(f"{address.scheme}://{address.netloc}", self._network, self._clock) as wire,
                    wire.send(request) as answer,
                ):
                    _check(answer)
        except WireError as error:
            raise Undelivered(str(error)) from error
        except TimeoutError as error:
            raise Undelivered(f"no answer within {SEND_SECONDS:.0f} s") from error
        except OSError as error:
            raise Undelivered("[network] ca_file cannot be used") from error


def escaped(text: str) -> str:
    """The text as Slack takes it: no part of it is a command or a mention, and it is not too long."""
    room = TEXT_MAX - 1
    pieces: list[str] = []
    for piece in (ESCAPES.get(each, each) for each in text):
        if (room := room - len(piece)) < 0:
            return "".join((*pieces, "…"))
        pieces.append(piece)
    return "".join(pieces)


def _check(answer: WireAnswer) -> None:
    status = answer.status
    if 200 <= status < 300:
        return
    wanted = answer.headers.get("Retry-After", "").strip()
    after = float(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < 10 else 0.0
    raise Undelivered(
        f"HTTP {status}",
        again=status == 429 or status >= 500,
        after_seconds=min(after, RETRY_AFTER_SECONDS_MAX),
    )
