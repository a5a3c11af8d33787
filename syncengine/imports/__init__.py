"""A file of people into Marketo, every row accounted for.

`desk` is the door of the room. In reading order:

- what is asked for: `asked`, `target`, `route`, and as people write it `texts`;
- what is found before anything is sent: `describing`, `header`, `checks`, `findings`, `gather`, `keys`, `chunk`,
  `deal`, brought together by `prepare`;
- a chunk on disk and on its way: `manifest`, `bodies`, `body`, `values`, `upload`, `answers`, `door`, `halves`;
- what becomes of it: `states`, `watch`, `listed`, `settle`, and where nobody knows `ambiguity`, `doubts`, `lookup`,
  `verify`; all of it ends in `endings` and `book`, and `run` drives it, until the `brake` stops it;
- one run from its lease to its report: `parts`, `work`, `runs`, `refusals`, `importing`;
- the account: `outcome`, `account`, `report`.
"""
