"""The instance without I/O: a call and an instant go in, an answer comes out.

Theory of operation. `arrive` is called when a call has reached the server: it brings the jobs up to `now`, stamps the
call, judges it and, if nothing forbids it, carries it out at once. The answer then waits `latency_seconds` on the wire,
and the call stays in flight until `depart`, which the wire calls when the last byte is handed over or the client has
gone. The order of judgement is: size (414, 413), method (605), token (600, 601, 602), rate (606), in flight (615), day
quota (607), path (610), fault script, endpoint. A call counts in the rate window and the day quota unless its answer
carries one of the codes that Adobe marks as free. The control path comes before all of it.
"""

import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

import orjson

from syncengine.sandbox import changes, control
from syncengine.sandbox.activity_pages import ActivityPages
from syncengine.sandbox.asset_endpoints import asset_endpoints
from syncengine.sandbox.asset_files import FILES_PREFIX, serve
from syncengine.sandbox.asset_truth import assets_truth
from syncengine.sandbox.auth import Tokens
from syncengine.sandbox.bulk import BulkExports, produced
from syncengine.sandbox.bulk_imports import BulkImports
from syncengine.sandbox.counters import Counters
from syncengine.sandbox.database import Database
from syncengine.sandbox.export_requests import ExportRequests
from syncengine.sandbox.exports import Exports, Outcome
from syncengine.sandbox.faults import TWISTS, FaultScript, damage_of
from syncengine.sandbox.files import FileStore, MemoryFiles
from syncengine.sandbox.imports import Imports
from syncengine.sandbox.ingestion import INGESTION_PREFIX, Ingestion, ingestion_error
from syncengine.sandbox.limits import Limits
from syncengine.sandbox.listings import Listings
from syncengine.sandbox.messages import Damage, Exchange, Request, Response
from syncengine.sandbox.metadata import Metadata
from syncengine.sandbox.options import SandboxOptions
from syncengine.sandbox.page import Endpoint, Page
from syncengine.sandbox.paging import PagingTokens
from syncengine.sandbox.parameters import PARAMETERS, required
from syncengine.sandbox.queries import Queries
from syncengine.sandbox.replies import UNCOUNTED_CODES, HttpRefusal, Refusal, failure, page, refusal, success
from syncengine.sandbox.routes import API_ROOTS, UNKNOWN, Call, read_call
from syncengine.sandbox.sync import Sync


class Instance:
    """One Marketo instance; `now` is always Unix seconds of the sandbox's clock and never goes back."""

    def __init__(self, options: SandboxOptions, *, files: FileStore | None = None) -> None:
        self.options = options
        self.data = Database(options)
        self.people, self.activities = self.data.people, self.data.activities
        self.counters = Counters(options.window_seconds)
        self.limits = Limits(options)
        self.tokens = Tokens(options)
        self.exports = Exports(options, self.limits, partial(produced, files or MemoryFiles()))
        self.imports = Imports(options)
        self.ingestion = Ingestion(self.data, self.tokens, options)
        self._bulk_imports = BulkImports(self.data, self.imports)
        self._bulk = BulkExports(self.exports, ExportRequests(self.data))
        self._writes = Sync(self.data).endpoints()
        self._endpoints = self._all_endpoints(PagingTokens(options))
        self._faults = FaultScript(options.faults, options.seed)
        self._latency = random.Random(f"latency {options.seed}")  # noqa: S311  # repeatable, not secret
        # How many rows of imports one call may write; a server that has to answer others in between sets it.
        self.rows_at_once: int | None = None
        self._in_flight = 0
        self._replies = 0

    def handle(self, request: Request, now: float) -> Response:
        """Arrive and depart at one instant, for simple tests."""
        exchange = self.arrive(request, now)
        self.depart(exchange, now)
        return exchange.response

    def advance(self, now: float) -> int:
        """Bring all jobs up to `now`; returns how many rows of imports were written."""
        written = 0
        while (moment := min(now, self.exports.next_end)) < now:
            # An export that starts then has the rows that were written by then, and no later ones.
            written += self._write(moment)
            self.exports.advance(moment)
        written += self._write(now)
        self.exports.advance(now)
        return written

    def _write(self, now: float) -> int:
        self.ingestion.advance(now)
        return self.imports.advance(now, self.rows_at_once)

    def arrive(self, request: Request, now: float) -> Exchange:
        """Judge a call that has reached the server and carry it out."""
        self.advance(now)
        headers = {name.lower(): value for name, value in request.headers.items()}
        if request.path.startswith(control.CONTROL_PREFIX):
            key = headers.get("x-sandbox-key", "")
            reply = control.answer(self, self.options.control_key, request, key, now)
            return Exchange("control", reply, is_api_call=False)
        if request.path.startswith(INGESTION_PREFIX):
            return self._ingest(request, headers, now)
        if request.path.startswith(FILES_PREFIX):
            return self._serve(request, now)
        if not request.path.startswith(API_ROOTS):
            # What lies beside the API never reaches its limits.
            return Exchange("page", page(404), is_api_call=False)
        call = read_call(request, headers)
        self._in_flight += 1
        self.counters.arrived(call.endpoint, headers.get("user-agent", ""), self._in_flight, now)
        exchange = Exchange(call.endpoint, Response(), self._latency.uniform(*self.options.latency_seconds))
        try:
            self._judge(call, now)
            exchange.holds_slot = True
            exchange.response = self._carry_out(call, exchange, now)
        except Refusal as refused:
            exchange.response = failure(self._request_id(now), refused.code, refused.message)
        except HttpRefusal as refused:
            exchange.response = refused.response
        code = exchange.response.code
        if code not in UNCOUNTED_CODES:
            self.limits.count(now, is_identity=call.is_identity)
        if exchange.holds_slot:
            self.limits.in_flight += 1
        self.counters.answered(exchange.response.status, code)
        return exchange

    def depart(self, exchange: Exchange, now: float) -> None:  # noqa: ARG002  # the wire's view of time, for symmetry
        """The answer has been sent, or the client has gone; a second call does nothing."""
        if exchange.has_departed or not exchange.is_api_call:
            return
        exchange.has_departed = True
        if exchange.on_departure is not None:
            exchange.on_departure()
        self._in_flight -= 1
        if exchange.holds_slot:
            self.limits.in_flight -= 1

    def set_faults(self, rules: list[Mapping[str, Any]]) -> None:
        """Replace the fault script; raises ValueError for a rule that cannot be read."""
        self._faults = FaultScript(rules, self.options.seed)

    def reset_counters(self) -> None:
        """Start counting anew; limits, quotas and jobs stay as they are."""
        self.counters = Counters(self.options.window_seconds)

    def report(self) -> dict[str, Any]:
        """The counters, as the control path gives them."""
        report = self.counters.report(self.tokens.issued, self._in_flight)
        return report | {"imports_running_most": self.imports.running_most}

    def truth(self, stream: str, now: float, host: str = "localhost") -> Iterator[bytes] | None:
        """What a stream holds at `now`, as JSON lines; None for a stream that there is not."""
        if stream == "assets":
            return assets_truth(self.data.assets, host)
        if stream == "imports":
            return _lines(job.truth() for job in self.imports.jobs.values())
        if stream == "ingestion":
            return _lines(call.truth() for call in self.ingestion.calls)
        return self.data.truth(stream, now)

    def body_cut(self, method: str, path: str, now: float) -> int | None:
        """How many bytes of a call's body come in before its connection closes on purpose; None for most calls."""
        return self._faults.cut(method, path, now)

    def change(self, now: float, **asked: Any) -> dict[str, Any]:
        """Change data as the control path does."""
        self.advance(now)
        return changes.change(self.data, asked, now)

    def _ingest(self, request: Request, headers: Mapping[str, str], now: float) -> Exchange:
        """A call of the ingestion API, which has limits of its own and none of the others."""
        return self._beside(
            "ingestion", request, now, partial(self.ingestion.answer, request, headers, now, self.counters)
        )

    def _serve(self, request: Request, now: float) -> Exchange:
        """A call of a file's address, which anyone may read as often as he likes."""
        self.counters.fetched()
        return self._beside("files", request, now, lambda: serve(self.data.assets, request.path))

    def _beside(self, endpoint: str, request: Request, now: float, answer: Callable[[], Response]) -> Exchange:
        """A call that the limits of the API do not know; faults strike it as others."""
        latency = self._latency.uniform(*self.options.latency_seconds)
        exchange = Exchange(endpoint, Response(), latency, is_api_call=False)
        rule = self._faults.strike(request.method, request.path, now)
        match rule.action if rule is not None else "":
            case "error" if rule is not None and endpoint == "ingestion":
                exchange.response = ingestion_error(rule.code, rule.message)
            case "http" | "error" if rule is not None:
                exchange.response = page(int(rule.status or 503), rule.body)
            case "drop_before":
                exchange.damage = Damage("drop")
            case _:
                if rule is not None and rule.action == "latency":
                    exchange.latency_seconds += rule.seconds or 0.0
                elif rule is not None and rule.action not in TWISTS:
                    exchange.damage = damage_of(rule)
                exchange.response = answer()
        return exchange

    def _judge(self, call: Call, now: float) -> None:
        """Raise the first reason not to carry the call out."""
        call.check_size()
        call.check_method()
        refused = None if call.is_identity else self.tokens.check(call.headers.get("authorization", ""), now)
        refused = refused or self.limits.refuse(now, is_identity=call.is_identity)
        if refused is not None:
            raise refused
        if call.endpoint == UNKNOWN:
            raise refusal("610")

    def _carry_out(self, call: Call, exchange: Exchange, now: float) -> Response:
        rule = self._faults.strike(call.method, call.request.path, now)
        if rule is None:
            return self._answer(call, exchange, now, Outcome(), call.headers.get("range", ""))
        outcome = Outcome()
        range_header = call.headers.get("range", "")
        match rule.action:
            case "error":
                return failure(self._request_id(now), rule.code, rule.message or "System error")
            case "http":
                return page(int(rule.status or 503), rule.body)
            case "drop_before":
                exchange.damage = Damage("drop")
                return Response()
            case "outcome":
                outcome = Outcome(str(rule.status or "Completed"), rule.message, rule.seconds, rule.at_byte)
            case "forget":
                outcome = Outcome(is_forgotten=True)
            case "ignore_range":
                range_header = ""
            case "latency":
                exchange.latency_seconds += rule.seconds or 0.0
            case _:
                exchange.damage = damage_of(rule)
        return self._answer(call, exchange, now, outcome, range_header)

    def _answer(self, call: Call, exchange: Exchange, now: float, outcome: Outcome, range_header: str) -> Response:
        if call.is_identity:
            return self.tokens.identify(call.query, call.form, now)
        if call.kind:
            return self._answer_bulk(call, now, outcome, range_header)
        for name in PARAMETERS[call.endpoint].required if call.endpoint in PARAMETERS else ():
            if not (call.is_json and call.request.body):  # a compound key comes in the body
                required(call.query, name)
        if ".import." in call.endpoint:
            return self._answer_import(call, now, outcome)
        if call.endpoint in self._writes:
            shown, exchange.on_departure = self._writes[call.endpoint](call, now)
        else:
            shown = self._endpoints[call.endpoint](call, now)
        return success(self._request_id(now), shown.result, **shown.more)

    def _answer_bulk(self, call: Call, now: float, outcome: Outcome, range_header: str) -> Response:
        if call.endpoint.endswith(".file"):
            return self._bulk.file(call, range_header, now)
        result, more = self._bulk.answer(call, now, outcome)
        if call.endpoint.endswith(".create"):
            self.counters.created(self._bulk.kind_of(call))
        return success(self._request_id(now), result, **more)

    def _answer_import(self, call: Call, now: float, outcome: Outcome) -> Response:
        if call.endpoint.endswith(".create"):
            result = self._bulk_imports.create(call, now, outcome)
            self.counters.imported(call.endpoint.partition(".")[0])
        elif call.endpoint.endswith(".status"):
            result = self._bulk_imports.status(call, now)
        else:
            return self._bulk_imports.file(call, now)
        return success(self._request_id(now), result)

    def _all_endpoints(self, tokens: PagingTokens) -> dict[str, Endpoint]:
        data = self.data
        return {
            **Metadata(data).endpoints(),
            **ActivityPages(data, tokens).endpoints(),
            **Queries(data, tokens).endpoints(),
            **Listings(data, tokens).endpoints(),
            **asset_endpoints(data),
            "usage": lambda _call, now: Page([self._usage(self.limits.calls.day(now), self.limits.calls.used(now))]),
            "usage_last7days": lambda _call, now: Page(
                [self._usage(*entry) for entry in self.limits.calls.recent(now, 7)]
            ),
        }

    def _usage(self, day: str, total: int) -> dict[str, Any]:
        return {"date": day, "total": total, "users": [{"userId": self.tokens.user, "count": total}]}

    def _request_id(self, now: float) -> str:
        self._replies += 1
        return f"{self._replies & 0xFFFF:x}#{int(now * 1000):x}"


def _lines(rows: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    return (orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)
