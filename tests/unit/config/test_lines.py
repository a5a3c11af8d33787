"""Where keys stand in a text."""

from syncengine.config.lines import key_lines, line_of

TEXT = '''\
top = 1
[instance]  # comment
name = "a"
"quoted key" = 2
[ streams . leads ]
fields = [
  "x = 1",
]
text = """
[not.a.table]
nor = "a key"
"""
after.dotted = 3
'''


def test_tables_and_keys_have_their_first_line() -> None:
    """Tables, plain, quoted and dotted keys are found; the inside of a long text is not read."""
    lines = key_lines(TEXT)
    assert 1 == lines["top",]
    assert 2 == lines["instance",]
    assert 3 == lines["instance", "name"]
    assert 4 == lines["instance", "quoted key"]
    assert 5 == lines["streams", "leads"]
    assert 6 == lines["streams", "leads", "fields"]
    assert ("not", "a", "table") not in lines
    assert 13 == lines["streams", "leads", "after", "dotted"]


def test_a_missing_key_stands_at_its_table() -> None:
    """The nearest table around a key is where it should be added."""
    lines = key_lines(TEXT)
    assert 2 == line_of(("instance", "client_id"), lines)
    assert line_of(("nowhere", "x"), lines) is None
