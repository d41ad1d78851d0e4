"""Lists and maps inside one configuration value (`kubernetes-objects.md` 4.7, `operations.md` 1.4).

The legacy syntax, `a;b;'c;d'` and `k1:v1,k2:v2`, is what every Flink version reads, so it is the only one
written here. YAML flow text (`[a, b]`, `{k: v}`) is read as well, as Flink 2.x does.
"""

from collections.abc import Iterable, Mapping

from flinkop.config import yaml12

_Q = "'"


def split(text: str, delimiter: str) -> list[str]:
    """Split at `delimiter` outside quotes.

    Unquoted items are trimmed, quoted ones taken verbatim with doubled quotes undone. Two adjacent
    delimiters give an empty item; an unquoted empty item at the end is lost.

    Raises:
        ValueError: a quote is not closed, or text follows a closing quote.
    """
    if "'" not in text and '"' not in text:
        items = [item.strip() for item in text.split(delimiter)]
        if not items[-1]:
            items.pop()
        return items
    items = []
    position = 0
    while position < len(text):
        position = _skip_blanks(text, position)
        if position < len(text) and text[position] in "'\"":
            item, position = _quoted(text, position)
            position = _skip_blanks(text, position)
            if position < len(text) and text[position] != delimiter:
                raise ValueError(
                    f"text follows a closing quote at position {position}, write '{delimiter}' between items"
                )
            items.append(item)
        elif position < len(text):
            end = text.find(delimiter, position)
            end = len(text) if end < 0 else end
            items.append(text[position:end].strip())
            position = end
        position += 1
    return items


def _skip_blanks(text: str, position: int) -> int:
    while position < len(text) and text[position].isspace():
        position += 1
    return position


def _quoted(text: str, start: int) -> tuple[str, int]:
    quote = text[start]
    parts = []
    position = start + 1
    while True:
        end = text.find(quote, position)
        if end < 0:
            raise ValueError(f"the quote opened at position {start} is not closed, add {quote}")
        parts.append(text[position:end])
        if text[end + 1 : end + 2] != quote:
            return "".join(parts), end + 1
        parts.append(quote)
        position = end + 2


def quote_if(text: str, special: str) -> str:
    """Wrap `text` in single quotes if it holds one of the characters in `special`."""
    if any(character in text for character in special):
        return "'" + text.replace("'", "''") + "'"
    return text


def join_list(items: Iterable[str]) -> str:
    """Write a list: items joined by `;`, quoted where the reader would read something else.

    Beyond the reference, which loses them, edge blanks and an empty last item are quoted too.
    """
    written = [
        quote_if(item, ";\"'") if item.strip() == item else f"'{item.replace(_Q, _Q * 2)}'"
        for item in items
    ]
    if written and not written[-1]:
        written[-1] = "''"
    return ";".join(written)


def join_map(entries: Mapping[str, str]) -> str:
    """Write a map: `k1:v1,k2:v2`, keys, values and entries quoted where needed.

    Beyond the reference, which writes what it cannot read, empty texts and edge blanks are quoted too.
    """
    return ",".join(
        quote_if(f"{_map_part(key)}:{_map_part(value)}", ",\"'") for key, value in entries.items()
    )


def _map_part(text: str) -> str:
    if not text or text.strip() != text:
        return f"'{text.replace(_Q, _Q * 2)}'"
    return quote_if(text, ":\"'")


def join_maps(maps: Iterable[Mapping[str, str]]) -> str:
    """Write a list of maps.

    Beyond the reference, a map that holds quotes is quoted as a whole: a reader takes one level off.
    """
    return ";".join(quote_if(join_map(entries), ";\"'") for entries in maps)


def parse_list(text: str) -> tuple[str, ...]:
    """Read a list of texts, in YAML flow or legacy syntax."""
    if text.lstrip().startswith("["):
        flow = yaml12.flow_list(text)
        if flow is not None:
            return tuple(item if isinstance(item, str) else yaml12.flow_text(item) for item in flow)
    return tuple(split(text, ";"))


def parse_words(text: str) -> tuple[str, ...]:
    """Read a list of texts that hold neither `;` nor `,`, either of which separates them (`api.md` 4.3)."""
    words = (word.strip() for item in parse_list(text) for word in item.split(","))
    return tuple(word for word in words if word)


def parse_map(text: str) -> dict[str, str]:
    """Read a map of texts, in YAML flow or legacy syntax.

    Raises:
        ValueError: an item is not a key and a value.
    """
    if text.lstrip().startswith("{"):
        flow = yaml12.flow_map(text)
        if flow is not None:
            return {
                key: value if isinstance(value, str) else yaml12.flow_text(value)
                for key, value in flow.items()
            }
    return _legacy_map(text)


def _legacy_map(text: str) -> dict[str, str]:
    entries: dict[str, str] = {}
    for item in split(text, ","):
        parts = split(item, ":")
        if len(parts) != 2:  # noqa: PLR2004 - a key and a value
            raise ValueError(
                f"map item '{item}' is not a key and a value, write key:value and quote a ':' inside either"
            )
        entries[parts[0]] = parts[1]
    return entries


def parse_maps(text: str) -> tuple[dict[str, str], ...]:
    """Read a list of maps, in YAML flow or legacy syntax."""
    if text.lstrip().startswith("["):
        flow = yaml12.flow_list(text)
        if flow is not None:
            return tuple(
                {str(key): yaml12.plain_text(value) for key, value in item.items()}
                if isinstance(item, dict)
                else _legacy_map(yaml12.plain_text(item))
                for item in flow
            )
    return tuple(_legacy_map(item) for item in split(text, ";"))
