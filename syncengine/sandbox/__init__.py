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

And of writes what an import needs: bulk import of leads, custom objects and program members with its queue, its
failures and warnings, 1016, 1019, 613, 413 and batch ids that die after seven days; leads and custom objects by JSON,
300 a call, with a status for each record; additions to a static list; statuses of program members; and the Data
Ingestion API for persons, custom objects and program members. An upsert is not atomic: two writes that overlap in time
and share a new key make two records, as Adobe warns. A lead that is written has what it was given and nothing else.

And the read side of the Asset API over a seeded tree (`asset_*.py`), made by the first call that needs it: folders in
three areas and some workspaces, programs in folders and in one another, emails, pages, forms, snippets, templates,
files with bytes of their own, redirect rules, smart lists with rules, segmentations, My Tokens, tags, channels, and the
emails, templates and fragments of the new designer. Approved versions and drafts stand side by side, ids are unique
within a kind alone, and names are what nobody would call a file. Programs, smart campaigns and static lists are the
same things in both APIs. The control path edits, renames, moves, deletes, makes and approves any of them.

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
- The body of an import is too large above 10,000,000 bytes, its boundaries and headers included. It has exactly one
  part, named `file`, with a file name; parameters stand in the URL, and `format` is required.
- A header of a lead or member file that names an unknown field (a byte order mark or a space belongs to the name) is
  1006, a read-only or repeated one 1003, and so is a file without the lookup field or without rows. In a custom object
  file it fails every row.
- A write that is under way looks up what there was when it began; what it makes is seen by others when it has ended.
  For the ingestion API it begins with the call.
- Integers have 32 bits, dates are ISO 8601, datetimes have an offset; an empty cell or text is stored as null.
- A list is being imported to while a job for it waits, too. A batch id is valid for seven days from its creation.
- The last column of a failures file is missing where it is the lookup field and empty in all its rows.
- Lists of assets are in the order of their names, so that a rename or a deletion shifts the pages after it.
- A move leaves updatedAt of what is moved as it is, and so does a rename of the folder above.
- Without a status the approved version answers, or the draft where there is nothing else. A version that was asked for
  and is not there is an answer without a result, a part that an asset of its sort cannot have is 702.
- The content of an email with predictive content and of a page with a social button is 709, the rest of them is read.
- folder/{id}/content.json needs its `type`, though its description has a default; types are Folder and Program as
  written. Dates have an offset and no milliseconds, and `maxReturn` above 200 is refused.
- Calls of the new designer need the header x-app-type, take the token in its header alone, and show 50 assets a page
  at most; what lies in an archived folder shows on demand alone.

What it does not do: other writes (deletions, companies, opportunities, member data, removal from lists), any write of
the Asset API, assets by name but folders, channels and tag types, programs by tag or filterType, fields that forms may
have, what the new designer's assets are used by, emails of A/B tests, previews for a lead or a segment, members by
`updatedAt`, filters by primary attribute, several API users, workspaces of leads, HTTPS, HTTP/2. Writes log no
activities; a partition is checked by name and otherwise ignored; links of custom objects are not checked; statuses of a
program have no steps. A file is written at once when its job starts, so a very large export holds up all other answers
for a moment. No generated cell holds a NUL character.

What no page says is a guess and may differ from a real instance: the text of 1003, the answer for an unknown export id
or a bad paging token, whether activities of a deleted lead stay. Of imports: how long a job takes and that it writes
evenly over its time; that a failed job has written nothing; that of a key's rows in one file the last wins; that a key
is compared in any case for e-mail addresses alone; the reasons "Value too long in field", "Invalid characters in field"
(an address that is not ASCII), "Missing value for lookup field" and that of a row with too few or too many cells; that
blank lines are no rows, undecodable bytes become U+FFFD, the text "null" is stored as it is; the order in which
refusals are judged; that the number of leads processed counts those imported; an unknown batch (1013; its files 404),
an unknown partition (1008). Of the ingestion API: its delay, and what answers too large a call.
Of assets: the order of names (without regard to case, then by id); that a page keeps its address when it is renamed;
that folders without a root are all areas; that a search by name without a type finds folders and programs; the types
that folder/{id}/content.json names; the types of folders of the lead database; that emails, templates and pages keep a
copy of what they took from a template, rules the names that things had; dynamic sections of pages, the smart list of a
campaign or a program having the name of its owner, triggers having the shape of filters; costs of programs, all
messages of 709; that a redirect rule, a segmentation and an asset of the new designer have one version; that its ids
are numbers, its `name` filter finds parts of names, an unknown id is an answer without a result and a thumbnail's
address is signed anew in every answer; that a subscription without the designer answers 610; and that files are served
by anyone's call at /rs/NAME/images/ID_NAME.
"""
