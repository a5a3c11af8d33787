"""Rows by the value of a field or of several, found without a scan; separate because leads and objects share it.

An index is built when it is first asked for. Whoever changes a row says so before and after.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from syncengine.sandbox.values import Value

Key = Value | tuple[Value, ...]


def email_key(value: Value) -> Value:
    """An e-mail address as it is compared: without the spaces around it, in any case. None for nothing."""
    return None if value is None else str(value).strip().lower() or None


def normal_key(name: str, value: Value) -> Value:
    """A value as it is compared: an e-mail address in any case, all else as it is."""
    return email_key(value) if name == "email" else value


class Index:
    """Rows by key; a row without a key (None) is in no index. Most keys have one row."""

    def __init__(self) -> None:
        self._rows: dict[Key, int | list[int]] = {}

    def find(self, key: Key) -> Sequence[int]:
        """The rows of a key, in the order in which they came."""
        found = self._rows.get(key)
        return () if found is None else [found] if isinstance(found, int) else found

    def add(self, key: Key, row: int) -> None:
        """The row has this key from now on."""
        if key is None:
            return
        found = self._rows.get(key)
        if found is None:
            self._rows[key] = row
        elif isinstance(found, int):
            self._rows[key] = [found, row]
        else:
            found.append(row)

    def remove(self, key: Key, row: int) -> None:
        """The row has this key no longer."""
        found = self._rows.get(key)
        if found == row:
            del self._rows[key]
        elif isinstance(found, list) and row in found:
            found.remove(row)

    def items(self) -> Iterator[tuple[Key, Sequence[int]]]:
        """Keys and their rows."""
        return ((key, self.find(key)) for key in self._rows)


class Indices:
    """The indices of one table by the names of their fields; `keys_of` makes the keys of rows."""

    def __init__(
        self, all_rows: Callable[[], Iterable[int]], keys_of: Callable[[tuple[str, ...], Sequence[int]], list[Key]]
    ) -> None:
        self._all_rows = all_rows
        self._keys_of = keys_of
        self._indices: dict[tuple[str, ...], Index] = {}

    def of(self, names: tuple[str, ...]) -> Index:
        """The index of these fields, built if need be."""
        index = self._indices.get(names)
        if index is None:
            index = self._indices[names] = Index()
            rows = list(self._all_rows())
            for row, key in zip(rows, self._keys_of(names, rows), strict=True):
                index.add(key, row)
        return index

    def drop(self, name: str) -> None:
        """The field is gone, or its values are no longer what they were."""
        self._indices = {names: index for names, index in self._indices.items() if name not in names}

    def born(self, row: int) -> None:
        """The row is new."""
        for names, index in self._indices.items():
            index.add(self._keys_of(names, [row])[0], row)

    def born_with(self, row: int, values: Mapping[str, Value], normal: Callable[[str, Value], Value]) -> None:
        """The row is new and has these values, in a table of one-field keys: quicker, for nothing is read back."""
        for names, index in self._indices.items():
            index.add(normal(names[0], values.get(names[0])), row)

    def keys(self, row: int, touched: Iterable[str]) -> list[tuple[tuple[str, ...], Key]]:
        """What the row's keys are before a change of these fields."""
        names_touched = set(touched)
        return [
            (names, self._keys_of(names, [row])[0]) for names in self._indices if not names_touched.isdisjoint(names)
        ]

    def moved(self, row: int, before: list[tuple[tuple[str, ...], Key]]) -> None:
        """The row has changed; `before` are its keys from then."""
        for names, old in before:
            new = self._keys_of(names, [row])[0]
            if new != old:
                self._indices[names].remove(old, row)
                self._indices[names].add(new, row)
