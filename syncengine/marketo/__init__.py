"""What Marketo says, and nothing about how it is carried: no socket, no clock, no thread, no `async` in this room.

Every decision about an answer is therefore a plain function on values, and a call can be shown, costed and journaled
before it is spent. In reading order:

    call.py       Call: one request as a value
    endpoints/    one module a resource; each function returns a Call and performs none
    reply.py      read(status, content type, bytes) -> Reply or Refusal; never raises
    codes.py      codes.tsv: every error code with its verdict; whether it cost quota; whether a create may have run
    rows.py       results as frozen rows, and the reading of Marketo's loose JSON
    records.py    what became of each record of a write
    multipart.py  a file as the body of an import
    pages.py      pages of a listing, and the three ways in which listings end
    described.py  what describe says of an object: keys, fields, what can be searched by
    merges.py     which leads lost a merge
    limits.py     the published limits, with units and pages
    dialect.py    the CSV of bulk files, and Marketo's types as ours
    columns.py    the columns of what has the same members in every instance
"""
