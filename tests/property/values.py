"""What options of each kind may be given: in a file, by `set`, by a program."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from circus.config import kinds, rules
from circus.config.model import WatcherConfig
from circus.config.schema import row_of, rows

if TYPE_CHECKING:
    from circus.config.kinds import Kind

KINDS = sorted(
    (one for one in vars(kinds).values() if isinstance(one, kinds.Kind)), key=lambda kind: kind.name
)
CHARACTERS = st.characters(exclude_characters="\0", exclude_categories=["Cs"])
TEXT = st.text(CHARACTERS)
WORD = st.text(CHARACTERS, min_size=1)
WORDS = st.lists(WORD, min_size=1, max_size=4)
NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,6}", fullmatch=True)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=2),
    max_leaves=3,
)
LIMITS = st.none() | st.integers(0, 2**64 - 1) | st.sampled_from(["", "unlimited", "-1"])
DOTTED = st.from_regex(r"[a-z_]{1,5}([.:][A-Za-z0-9_\-]{1,5}){0,3}", fullmatch=True)


def _numbers(low: int, high: int) -> st.SearchStrategy[Any]:
    whole = st.integers(low, high)
    return whole | whole.map(str) | whole.map(lambda number: f" {number} ")


def _fractions(low: float) -> st.SearchStrategy[Any]:
    number = st.floats(low, allow_nan=False, allow_infinity=False)
    return number | number.map(str) | _numbers(int(low), 10**9)


def _limits(some: st.SearchStrategy[Any], written: list[str]) -> st.SearchStrategy[Any]:
    return some | st.sampled_from([*written, "infinity", " Infinity ", None])


def _octal(most: int) -> st.SearchStrategy[Any]:
    number = st.integers(0, most)
    return (
        number
        | number.map("{:o}".format)
        | number.map("0{:o}".format).filter(lambda text: len(text) <= 4)
    )


def _words_of(*words: str) -> st.SearchStrategy[str]:
    word = st.sampled_from(words)
    return word | word.map(str.lower) | word.map(str.upper)


def _listed(separator: str) -> st.SearchStrategy[Any]:
    plain = st.lists(NAMES, max_size=3)
    return plain | plain.map(separator.join) | st.lists(TEXT, max_size=3).map(tuple)


GIVEN: dict[str, st.SearchStrategy[Any]] = {
    kinds.TEXT.name: TEXT,
    kinds.COMMAND.name: WORDS | WORDS.map(shlex.join),
    kinds.WORDS.name: TEXT | st.lists(TEXT, max_size=4) | st.none(),
    kinds.BOOLEAN.name: st.booleans() | _words_of(*kinds.TRUE, *kinds.FALSE),
    kinds.INTEGER.name: _numbers(-(10**9), 10**9),
    kinds.COUNT.name: _numbers(0, 10**9),
    kinds.RETRIES.name: _numbers(-1, 10**9),
    kinds.PORT.name: _numbers(0, 65535),
    kinds.NICE.name: _numbers(-20, 19),
    kinds.NUMBER.name: _fractions(-1e9),
    kinds.SECONDS.name: _fractions(0),
    kinds.FACTOR.name: _fractions(1),
    kinds.SHARE.name: _fractions(0),
    kinds.SIZE_IN_BYTES.name: _limits(_numbers(1, 2**60), ["512M", "15g", "2TB"]),
    kinds.PROCESSOR.name: _limits(st.floats(1, 1e6).map("{:.3f}%".format), ["50%", "200 %"]),
    kinds.TASKS.name: _limits(_numbers(1, 10**9), ["5"]),
    kinds.WEIGHT.name: _numbers(1, 10000),
    kinds.UMASK.name: _octal(0o777),
    kinds.OCTAL.name: _octal(0o7777),
    kinds.SIGNAL.name: _numbers(1, 64) | st.sampled_from(["TERM", "sigint", "SIGRTMIN+1"]),
    kinds.IDENTIFIER.name: NAMES | _numbers(0, 2**32 - 2),
    kinds.PROTOCOL.name: NAMES | _numbers(0, 65535),
    kinds.NAMES.name: _listed(","),
    kinds.CODES.name: st.lists(_numbers(0, 255), max_size=3)
    | st.lists(st.integers(0, 255).map(str), max_size=3).map(", ".join),
    kinds.PATHS.name: _listed(" "),
    kinds.LIMIT.name: LIMITS
    | st.tuples(st.integers(0, 99), st.integers(99, 199))
    | st.tuples(st.integers(0, 99), st.integers(99, 199)).map(lambda pair: f"{pair[0]}:{pair[1]}")
    | st.integers(0, 99).map("{}:unlimited".format),
    kinds.DOTTED_NAME.name: DOTTED,
    kinds.HOOK.name: DOTTED | st.tuples(DOTTED, st.booleans()) | DOTTED.map("{}, true".format),
    kinds.ENVIRONMENT.name: st.dictionaries(
        WORD.filter(lambda name: "=" not in name), TEXT, max_size=4
    )
    | st.dictionaries(NAMES, st.text("ab=\"'$ ", max_size=5), max_size=3).map(
        lambda env: ",".join(f"{name}={value}" for name, value in env.items())
    ),
    kinds.ANYTHING.name: JSON,
    kinds.ENDPOINT.name: st.sampled_from(["ipc:///run/x", "tcp://127.0.0.1:5555", "tcp://*:*"]),
    kinds.MULTICAST.name: st.just("udp://237.219.251.97:12027"),
    kinds.SSH_SERVER.name: NAMES
    | st.builds("{}@{}:{}".format, NAMES, NAMES, st.integers(1, 65535)),
    kinds.LEVEL.name: _words_of(*kinds.LOG_LEVELS),
    kinds.FAMILY.name: _words_of(*kinds.FAMILIES),
    kinds.SOCKET_TYPE.name: _words_of(*kinds.SOCKET_TYPES),
    kinds.BACKEND.name: _words_of("thread", "gevent"),
}


def given_for(kind: Kind) -> st.SearchStrategy[Any]:
    return GIVEN[kind.name]


@st.composite
def options(draw: st.DrawFn) -> dict[str, Any]:
    """Options of one watcher that go together, `cmd` among them."""
    table = {row.name: row.kind for row in rows(WatcherConfig) if not row.prefix}
    chosen = draw(st.lists(st.sampled_from(sorted(table)), unique=True, max_size=8))
    found = {name: draw(given_for(table[name])) for name in chosen}
    found["cmd"] = draw(GIVEN[kinds.COMMAND.name])
    if found.get("args") is not None and isinstance(found["args"], str):
        found["args"] = shlex.quote(found["args"])
    if isinstance(found.get("shell_args"), str):
        found["shell_args"] = shlex.quote(found["shell_args"])
    found["copy_env"] = True
    found["singleton"] = False
    for prefix, names in (("rlimit_", rules.LIMITS), ("hooks.", rules.HOOKS)):
        match = row_of(WatcherConfig, f"{prefix}x")
        assert match is not None
        for name in draw(st.lists(st.sampled_from(names), unique=True, max_size=2)):
            found[prefix + name] = draw(given_for(match[0].kind))
    for stream in draw(st.lists(st.sampled_from(["stdout", "stderr"]), unique=True)):
        conf = draw(st.dictionaries(NAMES, JSON, max_size=2))
        found.update({f"{stream}_stream.{name}": value for name, value in conf.items()})
        found[f"{stream}_stream.class"] = "QueueStream"
    free = draw(st.dictionaries(NAMES.map("my.{}".format), JSON, max_size=2))
    return {**free, **found}
