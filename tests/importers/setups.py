"""Cases that are run: what their sources need of a machine, and what is to come of them."""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass, field
from typing import Any

from tests.importers.golden import HOST


@dataclass
class Setup:
    """What a case needs of a machine, and what is to come of it, by watcher."""

    case: str
    programs: tuple[str, ...]
    folders: tuple[str, ...] = ()
    instead: dict[str, str] = field(default_factory=dict)
    """Replaced in the source: users that nobody has, and what not every machine allows."""
    expected: dict[str, dict[str, Any]] = field(default_factory=dict)
    order: tuple[str, ...] = ()
    """Watchers in the order of their starts."""
    files: dict[str, str] = field(default_factory=dict)
    """What is in files of output: `o` for output, `e` for errors, as often as it is written."""
    environ: dict[str, str] = field(default_factory=dict)


WWW = {"uid": "www-data", "gid": "www-data"}
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"
SETUPS = (
    Setup(
        "supervisor/django-celery",
        ("/srv/shop/venv/bin/gunicorn", "/srv/shop/venv/bin/celery"),
        ("/srv/shop/app", "/var/log/shop"),
        expected={
            "gunicorn": {**WWW, "cwd": "/srv/shop/app", "count": 1, "argv": [
                "shop.wsgi:application", "--workers", "4", "--bind", "unix:/run/shop/gunicorn.sock",
            ], "env": {"DJANGO_SETTINGS_MODULE": "shop.settings.production",
                       "LANG": "en_US.UTF-8", "OURS": "yes"}},
            "celery-worker": {**WWW, "argv": [
                "-A", "shop", "worker", "--loglevel=INFO", "-n", "worker1@%h"],
                "signal": "SIGTERM"},
            "celery-beat": {**WWW, "cwd": "/srv/shop/app", "env": {"OURS": "yes"}},
        },
        order=("gunicorn", "celery-worker", "celery-beat"),
        files={"/var/log/shop/gunicorn.log": "oe", "/var/log/shop/celery.log": "o",
               "/var/log/shop/celery.err": "e", "/var/log/shop/beat.log": "o"},
    ),
    Setup(
        "supervisor/laravel-queue", ("php",), ("/home/forge/app.example.org",),
        {"user=forge": "user=daemon"},
        {"laravel-worker": {"count": 8, "uid": "daemon", "gid": "daemon", "argv": [
            "/home/forge/app.example.org/artisan", "queue:work", "sqs", "--sleep=3", "--tries=3",
            "--max-time=3600"]}},
        files={"/home/forge/app.example.org/worker.log": "oe" * 8},
    ),
    Setup(
        "supervisor/numbered-ports", ("/usr/bin/python3", "/usr/bin/consumer"),
        ("/srv", "/var/log/tornado"), {"user=deploy": "user=daemon", "directory=/\n": "",
         "=65535": "=1000"},
        {
            **{f"tornado-{number}": {
                "uid": "daemon", "count": 1, "cwd": "/srv", "umask": "027", "nofile": [1000, 1000],
                "argv": ["main.py", f"--port=800{number}", "--name=tornado"],
                "env": {"STAGE": "live", "TZ": "Europe/Vienna"}, "stderr": "/dev/null",
            } for number in (1, 2, 3)},
            "consumer": {"uid": "nobody", "gid": "nogroup", "count": 4, "each": [
                ["--slot", str(number), "--of", "4"] for number in (1, 2, 3, 4)]},
        },
        files={"/var/log/tornado/tornado-2.log": "o"},
    ),
    Setup(
        "supervisor/docker", ("nginx", "php-fpm8.2", "cron"),
        expected={"nginx": {"argv": ["-g", "daemon off;"], "uid": "root"},
                  "php-fpm": {"argv": ["-F"]}, "cron": {"argv": ["-f"]}},
        files={"circusd.log": "oeoeoe"},
    ),
    Setup(
        "supervisor/queues", ("/srv/q/work", "/srv/single"),
        expected={"high": {"argv": ["high"]}, "single": {"argv": []}},
        order=("high", "default", "low", "single"),
    ),
    Setup(
        "supervisor/fcgi", ("/usr/bin/php-cgi", "/usr/bin/moin.fcg", "/usr/bin/six"),
        ("/var/run/supervisor",), {"tcp://localhost:9002": "tcp://localhost:0", "9003": "0"},
        {"php": {**WWW, "count": 5, "listens": True, "env": {"PHP_FCGI_MAX_REQUESTS": "500"}},
         "moin": {"listens": True, "signal": "SIGINT"}, "six": {"listens": True, "uid": "nobody"}},
    ),
    Setup(
        "supervisor/fcgi-shared",
        ("/usr/bin/one", "/usr/bin/two", "/usr/bin/three", "/usr/bin/four"), ("/run",),
        {"tcp://localhost:9003": "tcp://localhost:0"},
        {**{f"one_0{number}": {"listens": True, "argv": [f"--number={number}"]}
            for number in (0, 1)}, "two": {"listens": False}, "three": {"listens": True}},
    ),
    Setup(
        "supervisor/java", ("/opt/kafka/bin/kafka-server-start.sh",), ("/opt/kafka",
        "/var/log/kafka"), {"user=kafka": "user=nobody"},
        {"kafka": {"uid": "nobody", "cwd": "/opt/kafka", "argv": [
            "/opt/kafka/config/server.properties"], "env": {
            "KAFKA_HEAP_OPTS": "-Xmx4G -Xms4G", "JMX_PORT": "9999"}}},
        files={"/var/log/kafka/out.log": "o", "/var/log/kafka/err.log": "e"},
    ),
    Setup(
        "supervisor/node", ("node",), ("/srv/node",),
        {"user=node": "user=nobody", "stderr_logfile=syslog": "stderr_logfile=NONE"},
        {"web": {"uid": "nobody", "argv": ["server.js", "--inspect=0"], "umask": "022",
                 "signal": "SIGINT", "env": {"MOTD": "hello, world; it's 100% ok"}},
         "assets": {"count": 0}},
    ),
    Setup(
        "supervisor/includes", ("bin/api",),
        expected={"api": {"argv": ["--host", HOST], "env": {"SECRET": "hush", "OURS": "yes"}}},
        environ={"API_SECRET": "hush"},
    ),
    Setup(
        "supervisor/docker-env", ("/srv/app/bin/web", "/srv/app/bin/worker"), ("/srv/app",),
        expected={"web": {"count": 0}, "worker": {"count": 2, "argv": []}},
        environ={"PORT": "80", "WEB_ON": "no", "WORKERS": "2", "PATIENCE": "3"},
    ),
    Setup(
        "procfile/rails", ("bundle",),
        expected={"web": {"cwd": ".", "argv": [
                      "exec", "puma", "-C", "config/puma.rb", "-p", "5000"],
                      "env": {"PORT": "5000", "RAILS_ENV": "production", "OURS": "yes",
                              "SECRET_KEY_BASE": "abc def"}},
                  "worker": {"env": {"PORT": "5100"}}, "release": {"count": 0}},
    ),
    Setup(
        "procfile/python", ("gunicorn", "celery", "python"),
        expected={"web": {"argv": ["shop.wsgi", "--bind", "0.0.0.0:3000", "--log-file", "-"],
                          "env": {"PORT": "3000", "DEBUG": "0"}},
                  "worker": {"env": {"PORT": "3100"}, "argv": [
                      "-A", "shop", "worker", "-l", "info"]},
                  "beat": {"env": {"PORT": "3200"}}, "clock": {"env": {"PORT": "3300"}}},
    ),
    Setup(
        "procfile/windows", ("npm", "node", "celery"),
        expected={"web": {"env": {"NODE_ENV": "production", "DEBUG": "x"}},
                  "worker": {"argv": ["worker.js"]},
                  "flower": {"argv": ["-A", "proj", "flower", "--port=5200"], "shell": True,
                             "signal": "SIGTERM"}},
    ),
    Setup(
        "procfile/node", ("node", "npm"), ("client", "log"),
        expected={"web": {"argv": ["--max-old-space-size=512", "server.js"]},
                  "assets": {"cwd": "client", "argv": ["run", "watch"], "shell": True},
                  "queue": {"env": {"NODE_ENV": "production"}, "shell": True},
                  "mail": {"argv": ["mailer.js", "--from", "a & b"]}},
        files={"log/queue.log": "oe"},
    ),
    Setup(
        "systemd/gunicorn-socket", ("/srv/shop/venv/bin/gunicorn",), ("/run", "/srv/shop"),
        expected={"shop": {**WWW, "cwd": "/srv/shop", "argv": ["shop.wsgi"], "env": {
            "PATH": SYSTEM_PATH, "USER": "www-data", "LISTEN_FDS": "1", "LISTEN_FDNAMES": "shop",
            "OURS": None}, "third": True}},
    ),
    Setup(
        "systemd/go-service", ("/usr/local/bin/metrics",), ("/var/log",),
        {"User=metrics": "User=daemon", "LimitNPROC=512:1K\n": "", "=65536": "=1000"},
        {"metrics": {"uid": "daemon", "cwd": "//", "nice": 5, "umask": "027",
                     "nofile": [1000, 1000], "no_new_privileges": True, "argv": [
                         "--listen=:9100", "--dir=/var/lib/my metrics", "--level=info",
                         "--a", "--b", "--price=$5"],
                     "env": {"GREETING": "hello world", "ZONE": HOST, "OURS": None}}},
        files={"/var/log/metrics.log": "oe"},
    ),
    Setup(
        "systemd/template", ("/usr/bin/worker",),
        expected={"worker": {"count": 3, "uid": "nobody", "signal": "SIGINT", "each": [
            ["--slot", str(number), "--name", f"worker-{number}"] for number in (1, 2, 3)]}},
    ),
    Setup(
        "systemd/template-names", ("/usr/bin/tenant",),
        ("/srv/tenants/red", "/srv/tenants/blue", "/var/log/tenants", "/etc/default"),
        {"EnvironmentFile=/etc/default/tenant-%i": "EnvironmentFile=-/etc/default/tenant-%i"},
        {f"tenant@{name}": {"cwd": f"/srv/tenants/{name}", "uid": "nobody", "argv": [
            "--config", f"/etc/tenants/{name}.toml"], "env": {
            "TENANT": name, "HOME": "/nonexistent"}, "stderr": "/dev/null"}
         for name in ("red", "blue")},
        files={"/var/log/tenants/red.log": "o"},
    ),
    Setup(
        "systemd/dropins", ("/usr/bin/app",),
        expected={"app": {"argv": ["--new"], "uid": "daemon", "env": {"A": None, "C": "3"}}},
    ),
    Setup(
        "systemd/optional-env", ("/usr/bin/feed",),
        expected={"feed": {"uid": "daemon", "nofile_soft": 1024, "argv": [
            "--name=", "--pidfile=/run/feed/pid", "--home", pwd.getpwnam("daemon").pw_dir]}},
    ),
    Setup(
        "systemd/of-users", ("/usr/bin/sync-files",),
        expected={f"sync@{name}": {
            "uid": name, "cwd": f"/{os.path.realpath(pwd.getpwnam(name).pw_dir)}",
            "env": {"USER": name},
            "argv": ["--home=/root", "--as", "root", "--dir", f"{pwd.getpwnam(name).pw_dir}/Sync"],
        } for name in ("daemon", "bin")},
    ),
    Setup("systemd/nightly", ("/usr/local/bin/backup",), expected={"backup": {"count": 0}}),
    Setup(
        "systemd/oneshot", ("/usr/bin/app",), (), {"User=app": "User=daemon"},
        {"migrate": {"uid": "daemon", "argv": ["load data"]}},
    ),
    Setup(
        "systemd/prepared", ("/usr/bin/prepare", "/usr/bin/api"),
        expected={"api": {"uid": "nobody", "argv": [
            "--where=a b", "say \"'; exit 9 #\"", "a", "b", "price$5", "x", "--level=$LEVEL"]}},
    ),
    Setup(
        "systemd/uwsgi", ("/usr/bin/uwsgi",),
        expected={"uwsgi": {"signal": "SIGQUIT", "uid": "root", "env": {
            "USER": None, "PATH": SYSTEM_PATH}}},
    ),
)  # fmt: skip
