"""Completion of the programs beside circusctl, from their options: `python packaging/complete.py`.

circusctl completes itself, because it has to ask circusd. These have nothing but options.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from circus import circusd
from circus.plugins import host
from circus.stats import program as stats
from circus.top import program as top
from circus.web import circushttpd

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

FOLDER = Path(__file__).parent / "completion"
PARSERS = (circusd.parser(), host.parser(), stats.parser(), top.parser(), circushttpd.parser())
FILES, FOLDERS, HOSTS = "files", "folders", "hosts"
KINDS = {
    "circusd config": FILES,
    "circus-plugin config": "",  # options of the plugin
    "circus-top endpoint": "endpoints stats",
    "circushttpd config": FILES,
    "control": "endpoints control",
    "curve": FILES,
    "endpoint": "endpoints control",
    "instead_of": FILES,
    "log_output": FILES,
    "logger_config": FILES,
    "path": FOLDERS,
    "pidfile": FILES,
    "pubsub": "endpoints pubsub",
    "ssh": HOSTS,
    "ssh_keyfile": FILES,
    "statspoint": "endpoints stats",
}
"""What the values of an option are, by its name, or by its program and its name."""
ABOUT = """\
# Completion of {programs} for {shell}.
# Written by `python packaging/complete.py` from their options. Installed below
# share as {place}.
"""
BASH = """
_circus_program() {
    local program=${1##*/} line=${COMP_LINE:0:COMP_POINT} option begun= kind word file
    local typed=${line##*[[:space:]]}
    local before=${line%"$typed"} words=()
    before=${before%"${before##*[![:space:]]}"}
    option=${before##*[[:space:]]}
    if [[ $typed == --*=* ]]; then
        option=${typed%%=*} begun=${typed%%=*}=
    fi
    kind=${_circus_values["$program $option"]-none}
    if [[ $kind == none && $typed == -* ]]; then
        kind="words ${_circus_options[$program]}"
    elif [[ $kind == none ]]; then
        kind=${_circus_values["$program "]-}
    fi
    COMPREPLY=()
    case $kind in
        files) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$2") ;;
        folders) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$2") ;;
        hosts) mapfile -t COMPREPLY < <(compgen -A hostname -- "$2") ;;
        words*) read -ra words <<<"${kind#words}" ;;
        endpoints*)
            for file in {/run/circus,/run/circus/*,"${XDG_RUNTIME_DIR-}/circus"}/"${kind#* }"; do
                [[ -S $file ]] && words+=("ipc://$file")
            done
            ;;
    esac
    # bash wants what stands behind the last of its word breaks, `:` and `=` among them
    for word in "${words[@]}"; do
        [[ $begun$word == "$typed"* ]] && COMPREPLY+=("${begun}${word}")
    done
    if (( ${#words[@]} )); then
        COMPREPLY=("${COMPREPLY[@]#"${typed%"$2"}"}")
    fi
}

"""
ZSH = """
_circus_endpoints() {
    local -a found
    found=({/run/circus,/run/circus/*,$XDG_RUNTIME_DIR/circus}/$argv[-1](N=))
    found=(ipc://$^found)
    compadd "${(@)argv[1,-2]}" -a found
}

case $service in
"""


class Option(NamedTuple):
    """An option of a program, or what stands behind all of them: then it has no flags."""

    action: argparse.Action
    kind: str
    """`words …`, one of the constants, or nothing."""

    @property
    def takes(self) -> int:
        """How many values."""
        nargs = self.action.nargs
        return nargs if isinstance(nargs, int) else 1


def options(parser: argparse.ArgumentParser) -> Iterator[Option]:
    """What a program takes, but for what it takes for the sake of old habits."""
    for action in parser._actions:
        if action.help == argparse.SUPPRESS:
            continue
        kind = KINDS.get(f"{parser.prog} {action.dest}", KINDS.get(action.dest, ""))
        if action.choices:
            # in small letters, if they are taken in capitals too
            kind = " ".join(["words", *dict.fromkeys(map(str.lower, action.choices))])
        yield Option(action, kind)


def main() -> None:
    """Write both files."""
    for name, text in (("programs.bash", bash()), ("_circus", zsh())):
        (FOLDER / name).write_text(text, encoding="utf-8")


def bash() -> str:
    """What bash reads."""
    flags: list[str] = []
    values: list[str] = []
    for parser in PARSERS:
        found = list(options(parser))
        names = " ".join(name for one in found for name in one.action.option_strings)
        flags.append(f'    [{parser.prog}]="{names}"')
        values += [
            f'    ["{parser.prog} {name}"]="{one.kind}"'
            for one in found
            for name in one.action.option_strings or ("",)
            if one.takes
        ]
    place = "bash-completion/completions/circusd, and again for each of the others"
    lines = [
        about("bash", place),
        # where bash-completion loads it, it does so in a function
        *("declare -gA _circus_options=(", *flags, ")"),
        *("declare -gA _circus_values=(", *values, ")"),
        f"\n{BASH.strip()}\n",
        f"complete -F _circus_program {programs()}\n",
    ]
    return "\n".join(lines)


def zsh() -> str:
    """What zsh reads."""
    place = "zsh/site-functions/_circus (Debian: zsh/vendor-completions)"
    lines = [f"#compdef {programs()}", about("zsh", place), ZSH.strip()]
    for parser in PARSERS:
        specs = [quoted(spec) for one in options(parser) for spec in specs_of(one)]
        lines += [f"    {parser.prog})", "        _arguments -S \\"]
        lines += [f"            {spec} \\" for spec in specs[:-1]]
        lines += [f"            {specs[-1]}", "        ;;"]
    return "\n".join([*lines, "esac", ""])


def specs_of(option: Option) -> Iterable[str]:
    """An option as zsh's `_arguments` has them, once for each of its names."""
    action = option.action
    explained = (action.help or "") % vars(action)
    value = f":{action.dest}:{zsh_kind(option.kind)}"
    if not action.option_strings:
        yield f":{value}"
    repeats = "*" if isinstance(action, argparse._AppendAction) else ""
    for name in action.option_strings:
        equals = "=" if option.takes == 1 and name.startswith("--") else ""
        brackets = explained.replace("[", r"\[").replace("]", r"\]")
        yield f"{repeats}{name}{equals}[{brackets}]{value * option.takes}"


def zsh_kind(kind: str) -> str:
    """What offers the values."""
    if kind.startswith("words"):
        return f"({kind.removeprefix('words ')})"
    if kind.startswith("endpoints"):
        return f"_circus_{kind}"
    # no words; a blank alone would be a message, and zsh completes nothing beside that
    return {FILES: "_files", FOLDERS: "_directories", HOSTS: "_hosts"}.get(kind, "( )")


def quoted(text: str) -> str:
    """For a shell."""
    return "'" + text.replace("'", r"'\''") + "'"


def programs() -> str:
    """Their names."""
    return " ".join(parser.prog for parser in PARSERS)


def about(shell: str, place: str) -> str:
    """What stands above."""
    named = ", ".join(parser.prog for parser in PARSERS)
    return ABOUT.format(programs=named, shell=shell, place=place)


if __name__ == "__main__":
    main()
