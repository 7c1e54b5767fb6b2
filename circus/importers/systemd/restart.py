"""When a service of systemd is started again, and when no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from circus.importers.draft import Unfit
from circus.importers.report import Option, Verdict, changed, decide, kept
from circus.importers.systemd.text import number, seconds

if TYPE_CHECKING:
    from circus.importers.systemd.service import Service

BURST, INTERVAL, PAUSE = 5, 10.0, 0.1
"""Of a service that does not say: so many starts, in so many seconds, with a pause between."""
LONGEST = 60.0
"""Our longest pause, unless it is set."""
ALWAYS, ON_FAILURE = ("always",), ("on-failure",)
SIGNALS_ONLY = ("on-abnormal", "on-abort", "on-watchdog")
AFTER_TIMEOUT = (*ALWAYS, *ON_FAILURE, "on-abnormal")
"""It is started again when its time was up."""
INTERVALS = ("StartLimitIntervalSec", "StartLimitInterval")
EX = {
    "SUCCESS": 0, "FAILURE": 1, "INVALIDARGUMENT": 2, "NOTIMPLEMENTED": 3, "NOPERMISSION": 4,
    "NOTINSTALLED": 5, "NOTCONFIGURED": 6, "NOTRUNNING": 7, "USAGE": 64, "DATAERR": 65,
    "NOINPUT": 66, "NOUSER": 67, "NOHOST": 68, "UNAVAILABLE": 69, "SOFTWARE": 70, "OSERR": 71,
    "OSFILE": 72, "CANTCREAT": 73, "IOERR": 74, "TEMPFAIL": 75, "PROTOCOL": 76, "NOPERM": 77,
    "CONFIG": 78,
}  # fmt: skip
"""Names that systemd has for exit codes."""


def restart(service: Service, option: Option) -> Verdict:
    """Restart=."""
    word = option.value
    if word == "no":
        return kept("respawn = False")
    if word in ALWAYS:
        return kept("respawn = True")
    if word in ON_FAILURE:
        codes = ", ".join(map(str, _codes(service)))
        return kept(f"done_codes = {codes}: with these it is not started again")
    if word == "on-success":
        say = "respawn = True: it is started again whatever it ended with"
        return decide(say, "max_retry = 1 gives up at the first failure")
    if word in SIGNALS_ONLY:
        say = "done_codes = 0: it is started again after other exit codes too"
        return decide(say, "add codes to done_codes after which it is not to be")
    raise Unfit(f"{word!r} is nothing that systemd knows", "mend it")


def restart_sec(service: Service, option: Option) -> Verdict:
    """RestartSec=: the first start in a row is at once here."""
    if seconds(option.value) is None:
        raise Unfit("it would never be started again", "write a time, or Restart=no")
    if not _restarts(service):
        return kept("nothing: it is not started again")
    return changed(f"backoff_delay = {number(_pause(service))}, but the first start is at once")


def burst(service: Service, _option: Option) -> Verdict:
    """StartLimitBurst= and StartLimitIntervalSec=, of [Unit] or, as of old, of [Service]."""
    if not _restarts(service):
        return kept("nothing: it is not started again")
    retries = _retries(service)
    meaning = "it is never given up" if retries == "-1" else "so many failures in a row"
    return changed(f"max_retry = {retries}: {meaning}")


def success(service: Service, option: Option) -> Verdict:
    """SuccessExitStatus=."""
    if service.value("Restart") not in (*ON_FAILURE, *SIGNALS_ONLY):
        return kept("nothing: what becomes of it does not depend on them")
    return _told_codes(service, option)


def prevented(service: Service, option: Option) -> Verdict:
    """RestartPreventExitStatus=."""
    if not _restarts(service):
        return kept("nothing: it is not started again")
    return _told_codes(service, option)


def forced(service: Service, option: Option) -> Verdict:
    """RestartForceExitStatus=."""
    if not _restarts(service):
        say = "it is not started again after any code"
        return decide(say, "respawn = True, with the other codes in done_codes, does that")
    verdict = _told_codes(service, option)
    return verdict._replace(became=f"{verdict.became}, without these")


def runtime(service: Service, option: Option) -> Verdict:
    """RuntimeMaxSec=: then systemd stops it and takes that for a failure."""
    longest = seconds(option.value)
    if longest is None:
        return kept("nothing: no age is too high")
    if longest == 0:
        raise Unfit("systemd ends it as soon as it runs", "write infinity for no limit")
    if service.value("Type") == "oneshot":
        return kept("nothing: systemd does not limit Type=oneshot either")
    age = f"max_age = {number(longest)}"
    if not _grows_old(service):
        say = "systemd stops it for good at this age, and circusd never does"
        return decide(say, f"{age} has another worker take its place")
    service.put("max_age", number(longest))
    service.put("max_age_variance", number(_extra(service)))
    say = "another takes its place at once, whatever it ends with, and that is no failure"
    return changed(f"{age}: {say}")


def runtime_extra(service: Service, option: Option) -> Verdict:
    """RuntimeRandomizedExtraSec=, which `runtime` has written."""
    extra = seconds(option.value)
    if extra is None:
        raise Unfit("it would live for ever, or not", "write how many seconds are added by chance")
    if not _grows_old(service):
        return kept("nothing: no RuntimeMaxSec= is taken over that it would add to")
    return kept(f"max_age_variance = {number(extra)}")


def _grows_old(service: Service) -> bool:
    try:
        longest = seconds(service.value("RuntimeMaxSec", "infinity"))
    except Unfit:
        return False
    limited = longest and service.value("Type") != "oneshot"
    return bool(limited) and service.value("Restart") in AFTER_TIMEOUT


def _extra(service: Service) -> float:
    try:
        return seconds(service.value("RuntimeRandomizedExtraSec", "0")) or 0.0
    except Unfit:  # which is told where it is written
        return 0.0


def _told_codes(service: Service, option: Option) -> Verdict:
    said = f"done_codes = {', '.join(map(str, _codes(service)))}"
    signals = [word for word in option.value.split() if _code(word) is None]
    if not signals:
        return kept(said)
    return decide(said, f"after {' '.join(signals)} it is started again: nothing is like it")


def restart_defaults(service: Service) -> None:
    """Everything of it together."""
    if not _restarts(service):
        service.put("respawn", "False")
        return
    if codes := _codes(service):
        service.put("done_codes", ", ".join(map(str, codes)))
    retries = _retries(service)
    service.put("max_retry", retries)
    if int(retries) > 0 and (lasting := _lasting(service, int(retries))):
        service.put("backoff_reset", lasting)
    if service.value("RestartSec"):
        pause = _pause(service)
        service.put("backoff_delay", number(pause))
        service.put("backoff_factor", "1")
        if pause > LONGEST:
            service.put("backoff_max", number(pause))


def _restarts(service: Service) -> bool:
    word = service.value("Restart", "no")
    return word in (*ALWAYS, *ON_FAILURE, *SIGNALS_ONLY, "on-success")


def _codes(service: Service) -> list[int]:
    """With which it is not started again."""
    found: set[int] = set()
    if service.value("Restart") in (*ON_FAILURE, *SIGNALS_ONLY):
        found = {0, *_listed(service, "SuccessExitStatus")}
        found -= _listed(service, "RestartForceExitStatus")
    return sorted(found | _listed(service, "RestartPreventExitStatus"))


def _listed(service: Service, key: str) -> set[int]:
    words = [word for one in service.unit.options("Service", key) for word in one.value.split()]
    return {code for code in map(_code, words) if code is not None}


def _code(word: str) -> int | None:
    code = int(word) if word.isdecimal() else EX.get(word)
    return code if code is not None and code < 256 else None


def _pause(service: Service) -> float:
    try:
        pause = seconds(service.value("RestartSec", str(PAUSE)))
    except Unfit:  # which is told where it is written
        return PAUSE
    return PAUSE if pause is None else pause


def _retries(service: Service) -> str:
    """-1 where it would take longer than the interval to start that often."""
    count = _of_unit(service, ("StartLimitBurst",), str(BURST))
    span = _of_unit(service, INTERVALS, str(INTERVAL))
    if not count.isdecimal():
        raise Unfit(f"{count!r} is not a number", "mend it")
    interval = seconds(span)
    if interval == 0 or int(count) == 0:
        return "-1"
    if interval is not None and int(count) * _pause(service) > interval:
        return "-1"
    return count


def _lasting(service: Service, count: int) -> str:
    """A worker that runs so long never comes to be started too often; nothing by default."""
    interval = seconds(_of_unit(service, INTERVALS, "")) if _says_limit(service) else 0.0
    if interval is None or not _says_limit(service):
        return ""
    interval = interval or INTERVAL
    return number(round(max(interval / count - _pause(service), 0.0), 3))


def _says_limit(service: Service) -> bool:
    return bool(_of_unit(service, ("StartLimitBurst", *INTERVALS), ""))


def _of_unit(service: Service, keys: tuple[str, ...], default: str) -> str:
    for key in keys:
        for section in ("Unit", "Service"):
            if found := service.unit.value(section, key):
                return found
    return default
