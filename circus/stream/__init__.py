"""Where output goes: `pump` reads the pipes, sinks take what was read."""

from circus.stream.conf import get_stream
from circus.stream.file import FileStream, WatchedFileStream
from circus.stream.journal import JournalStream
from circus.stream.ledger import Counts, Loss, Trouble
from circus.stream.memory import Empty, Queue, QueueStream
from circus.stream.pump import Pump
from circus.stream.sink import Record, Sink, Source, Unwritten
from circus.stream.stdout import FancyStdoutStream, StdoutStream
from circus.stream.timed import TimedRotatingFileStream

__all__ = [
    "Counts",
    "Empty",
    "FancyStdoutStream",
    "FileStream",
    "JournalStream",
    "Loss",
    "Pump",
    "Queue",
    "QueueStream",
    "Record",
    "Sink",
    "Source",
    "StdoutStream",
    "TimedRotatingFileStream",
    "Trouble",
    "Unwritten",
    "WatchedFileStream",
    "get_stream",
]
