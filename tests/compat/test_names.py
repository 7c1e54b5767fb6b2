"""Names under which programs written for circus 0.19 find what they use."""

from __future__ import annotations

import pytest

from circus import exc
from circus.resolve import resolve_name

NAMES = [
    "circus.logger",
    "circus.get_arbiter",
    "circus.ArbiterHandler",
    "circus.__version__",
    "circus.arbiter.Arbiter",
    "circus.arbiter.ThreadedArbiter",
    "circus.watcher.Watcher",
    "circus.process.Process",
    "circus.sockets.CircusSocket",
    "circus.sockets.CircusSockets",
    "circus.client.CircusClient",
    "circus.client.AsyncCircusClient",
    "circus.client.make_message",
    "circus.client.cast_message",
    "circus.client.make_json",
    "circus.consumer.CircusConsumer",
    "circus.stream.Empty",
    "circus.stream.FancyStdoutStream",
    "circus.stream.FileStream",
    "circus.stream.Queue",
    "circus.stream.QueueStream",
    "circus.stream.StdoutStream",
    "circus.stream.TimedRotatingFileStream",
    "circus.stream.WatchedFileStream",
    "circus.stream.get_stream",
    "circus.util.DEFAULT_ENDPOINT_DEALER",
    "circus.util.configure_logger",
    "circus.circusd.daemonize",
    "circus.pidfile.Pidfile",
    "circus.commands.get_commands",
    "circus.commands.KNOWN_COMMANDS",
    "circus.commands.error",
    "circus.commands.ok",
    "circus.commands.base.Command",
    "circus.commands.util.convert_option",
    "circus.commands.util.validate_option",
    "circus.config.DefaultConfigParser",
    "circus.config.get_config",
    "circus.config.rlimit_value",
    "circus.config.watcher_defaults",
    "circus.plugins.CircusPlugin",
    "circus.plugins.get_plugin_cmd",
    "circus.plugins.main",
    "circus.plugins.statsd.StatsdEmitter",
    "circus.plugins.statsd.FullStats",
    "circus.plugins.statsd.BaseObserver",
    "circus.plugins._statsd.StatsdEmitter",
    "circus.plugins.redis_observer.RedisObserver",
    "circus.plugins.http_observer.HttpObserver",
    "circus.plugins.resource_watcher.ResourceWatcher",
    "circus.plugins.flapping.Flapping",
    "circus.plugins.watchdog.WatchDog",
    "circus.plugins.command_reloader.CommandReloader",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_there(name: str) -> None:
    assert resolve_name(name) is not None


@pytest.mark.parametrize(
    "name", ["CallError", "ConflictError", "AlreadyExist", "MessageError", "ArgumentError"]
)
def test_an_error_can_be_caught_by_its_name_and_as_ours(name: str) -> None:
    error = getattr(exc, name)
    assert issubclass(error, exc.CircusError)
