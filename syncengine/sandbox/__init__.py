"""A Marketo Engage instance on this machine, as strict as the real one, for rehearsals, tests and benchmarks.

It shares no code with the engine that is tested against it: a misreading of Adobe's pages that both had in common
would hide itself. `Instance` decides (values in, values out, time is an argument); `server` moves bytes.

What it models: the identity endpoint, the rate limit (100 calls in 20 s), ten calls in flight, both day quotas, usage
counts, the shapes of errors, and every read of the lead database: bulk export of leads, activities, program members and
custom objects with its queue, its one-minute status granularity, its file ranges, checksums and retention; activities,
lead changes and deleted leads by paging token; lists, campaigns and programs; leads, companies, opportunities and their
like by key; and what describes them. All data come from a seed (or from a file of the user's own people) and hold what
real data holds: quotes, line ends of every kind, the text "null", empty strings, cells longer than a CSV reader's
default limit, dates with offsets. Leads can be deleted and merged, and activities can become visible late.

Where Adobe's pages leave room it takes the strict reading:

- Calls of the identity endpoint count in the rate window and in flight (not in the day's quota).
- Refused calls count in the window and the quota, but for the codes that Adobe marks as free (601 602 604 605 608 611).
- A client secret in a URL is refused with HTTP 401, an access token in a query string with 600.
- A body is too large above 1,000,000 bytes, a URI above 8,000.
- The export queue of ten includes the two that run. Exported bytes are counted on the day when a job completes.
- A date without an offset, with milliseconds, or with `startAt` in the future is refused with 1003.
- Paths beside /identity, /rest and /bulk are plain 404 pages that count nowhere; unknown ones below them are 610.
- A call of the activity family returns what lies after its token's date, not what bears it; a token that was read to
  the end stands at the present, so what becomes visible late is passed. A token is good for its own question alone.
- A program, a static list or a custom object that there is not is 1013, one that cannot be exported 1003.
- Companies, sales persons, opportunities and roles of an instance with a CRM are 1018, also to be read: one of Adobe's
  pages calls them read-only, another disabled.
- Only `_method=GET` in the URL turns a POST into a GET.

What it does not do: imports and other writes, assets but programs, smart lists, reads of program members by key,
filters by primary attribute, several API users or workspaces, HTTPS, HTTP/2. A file is written at once when its job
starts, so a very large export holds up all other answers for a moment. No cell holds a NUL character. What no page says
(the text of 1003, the answer for an unknown export id or a bad paging token, whether activities of a deleted lead stay)
is a guess and may differ from a real instance.
"""
