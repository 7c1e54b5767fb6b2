"""Where output goes: `pump` reads the pipes, sinks take what was read."""

from circus.stream.conf import Sink, get_stream
from circus.stream.file import FileStream
from circus.stream.memory import Empty, Queue, QueueStream
from circus.stream.pump import Counts, Pump, Source
from circus.stream.stdout import StdoutStream

__all__ = [
    "Counts",
    "Empty",
    "FileStream",
    "Pump",
    "Queue",
    "QueueStream",
    "Sink",
    "Source",
    "StdoutStream",
    "get_stream",
]
