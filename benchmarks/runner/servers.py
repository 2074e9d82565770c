"""Real servers: the server runs under the allocator, its client does not.

The time is that of a fixed amount of the client's work; processor time, faults and RSS are the server's. For redis and
memcached the client is ours: it sends streams of commands made from a seed over several connections and takes every byte
of the replies into the checksum. redis_bench runs Debian's redis-benchmark, pgbench PostgreSQL's own.
"""

import glob
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time

from . import inputs, measure, packages
from .workloads import REAL

CLIENTS = 4
START_S = 30  # how long a server may take until it answers
SOCKET = "s"


class ServerError(Exception):
    pass


def connect(path, timeout):
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(timeout)
    connection.connect(path)
    return connection


def wait_ready(process, ready):
    limit = time.monotonic() + START_S
    while time.monotonic() < limit:
        if process.poll() is not None:
            raise ServerError("the server ended at its start")
        if ready():
            return
        time.sleep(0.01)
    raise ServerError(f"the server did not answer within {START_S} s")


def serve(context, allocator, command, folder, ready, work):
    """Starts the server, lets `work` (which returns a checksum) run against it, stops it; the Run is the server's."""
    with open(os.path.join(folder, ".stdout"), "wb") as stdout:
        process, out = measure.launch(context, allocator, command, folder, context.timeout + START_S, stdout)
    trouble, checksum, seconds = None, "", 0.0
    try:
        wait_ready(process, ready)
        begin = time.monotonic()
        checksum = work()
        seconds = time.monotonic() - begin
    except (ServerError, OSError, subprocess.SubprocessError) as error:
        trouble = str(error) or type(error).__name__
    finally:
        if process.poll() is None:
            process.terminate()  # the launcher passes it on
        try:
            process.wait(START_S)
        except subprocess.TimeoutExpired:
            process.kill()
            trouble = trouble or "the server did not stop when told to"
    run = measure.finish(process, out, folder)
    run.time_s, run.checksum = seconds, checksum
    if trouble and run.status == "ok":
        run.status = f"failed ({trouble})"
    return run


def replay(context, path, streams, last_reply, skip=""):
    """Sends each stream over a connection of its own; returns the checksum of all replies but for lines beginning with `skip`."""
    command = [os.path.join(context.tools, "replay"), path, str(int(context.timeout) + 1), last_reply, skip, *streams]
    got = subprocess.run(command, capture_output=True, text=True)
    if got.returncode != 0:
        raise ServerError(got.stderr.strip() or f"the client ended with {got.returncode}")
    return got.stdout.split()[-1]


def answers(path):
    def ready():
        try:
            connect(path, 1).close()
            return True
        except OSError:
            return False
    return ready


class Server:
    group, extra, slow, packages, rounds = REAL, False, False, (), 0

    def runs_on(self, _allocator):
        return True

    def folder(self, context):
        return context.place(f"{self.name}-{context.scale:g}")

    def socket_path(self, folder):
        """In a temporary folder: the build folder's path may be longer than a socket's address can be."""
        if not hasattr(self, "sockets"):
            self.sockets = tempfile.TemporaryDirectory(prefix="bench-")
        path = os.path.join(self.sockets.name, SOCKET)
        if os.path.exists(path):
            os.unlink(path)
        return path

    def streams(self, context, make, commands):
        folder, count = self.folder(context), max(20, int(commands * context.scale))
        return [inputs.once(os.path.join(folder, f"stream{client}"), lambda path, c=client: make(path, c, count))
                for client in range(CLIENTS)]


class Redis(Server):
    """Debian's redis is linked with jemalloc; preloading puts every allocator, the C library's too, in its place.

    Debian's package redis-tools holds the server's program (redis-check-rdb, which acts by the name it is called by).
    """
    packages = ("redis-tools",)

    def prepare(self, context):
        program = shutil.which("redis-server") or shutil.which("redis-check-rdb")
        if not program or not shutil.which("redis-benchmark"):
            return "redis is not installed (Debian: redis-tools)"
        self.program = os.path.join(self.folder(context), "redis-server")
        if not os.path.lexists(self.program):
            os.symlink(os.path.realpath(program), self.program)
        return None

    def run(self, context, allocator):
        folder = self.folder(context)
        path = self.socket_path(folder)
        command = [self.program, "--port", "0", "--unixsocket", path, "--save", "", "--appendonly", "no", "--daemonize", "no",
                   "--loglevel", "warning", "--dir", folder]
        return serve(context, allocator, command, folder, answers(path), lambda: self.work(context, path))


class RedisReplay(Redis):
    name = "redis"

    def work(self, context, path):
        return replay(context, path, self.streams(context, inputs.redis_stream, 150000), inputs.LAST)

    def prepare(self, context):
        self.streams(context, inputs.redis_stream, 150000)
        return super().prepare(context)


class RedisBenchmark(Redis):
    name = "redis_bench"

    def work(self, context, path):
        n = max(2000, int(50000 * context.scale))
        client = ["redis-benchmark", "-s", path, "-q", "-n", str(n), "-c", "20", "-P", "8", "-d", "200", "-r", "1000",
                  "-t", "set,get,incr,lpush,rpush,lpop,sadd,hset,zadd,mset"]
        got = subprocess.run(client, capture_output=True, text=True, timeout=context.timeout)
        if got.returncode != 0 or "Error" in got.stdout + got.stderr:
            raise ServerError(f"redis-benchmark: {got.stderr.strip()[:120] or got.returncode}")
        llen = subprocess.run(["redis-cli", "-s", path, "LLEN", "mylist"], capture_output=True, text=True, timeout=10)
        return measure.digest(llen.stdout.encode())


class Memcached(Server):
    """Its items lie in slabs of its own: malloc serves connections and tables only, so little can differ here."""
    name, slow = "memcached", True
    packages = ("libevent-2.1-7",)

    def prepare(self, context):
        self.program = shutil.which("memcached")
        if not self.program:
            folder = packages.unpack("memcached", context.packages)
            self.program = os.path.join(folder, "usr/bin/memcached") if folder else None
        if not self.program:
            return "memcached is not installed and cannot be unpacked"
        self.streams(context, inputs.memcached_stream, 80000)
        return None

    def run(self, context, allocator):
        folder = self.folder(context)
        path = self.socket_path(folder)
        command = [self.program, "-s", path, "-m", "512", "-t", "2", "-u", pwd.getpwuid(os.geteuid()).pw_name]
        return serve(context, allocator, command, folder, answers(path), lambda: self.work(context, path))

    def work(self, context, path):
        return replay(context, path, self.streams(context, inputs.memcached_stream, 80000), inputs.LAST + "END\r\n")


class Nginx(Server):
    """nginx, one worker, static files on a unix socket: many small ones, some large, some compressed as they are sent, lists
    of folders. 48 connections, each a stream of requests; those replies' dates are left out of the checksum."""
    name = "nginx"
    packages = ("libpcre2-8-0", "libssl3", "zlib1g", "libcrypt1")
    CONNECTIONS, REQUESTS = 48, 2500
    CONFIGURATION = """
{user} daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
    access_log off; default_type text/plain; sendfile on; keepalive_requests 1000000; open_file_cache max=100;
    gzip on; gzip_types text/plain; gzip_min_length 1000;
    client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
    uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
    server {{ listen unix:{socket}; root {files}; location /list/ {{ alias {files}/; autoindex on; }} }}
}}
"""

    def prepare(self, context):
        self.program = shutil.which("nginx", path=measure.ENVIRONMENT["PATH"])
        if not self.program:
            folder = packages.unpack("nginx", context.packages)
            self.program = os.path.join(folder, "usr/sbin/nginx") if folder else None
        if not self.program or not os.path.exists(self.program):
            return "nginx is not installed and cannot be unpacked"
        self.files = inputs.once(os.path.join(self.folder(context), "files"), inputs.web_files)
        count = max(5, int(self.REQUESTS * context.scale))
        self.requests = [inputs.once(os.path.join(self.folder(context), f"requests{client}"),
                                     lambda path, c=client: inputs.web_stream(path, c, count)) for client in range(self.CONNECTIONS)]
        return None

    def run(self, context, allocator):
        folder = self.folder(context)
        path = self.socket_path(folder)
        user = f"user {pwd.getpwuid(0).pw_name};" if os.geteuid() == 0 else ""
        with open(os.path.join(folder, "nginx.conf"), "w") as f:
            f.write(self.CONFIGURATION.format(user=user, folder=folder, socket=path, files=self.files))
        command = [self.program, "-p", folder, "-e", os.path.join(folder, "error.log"), "-c", os.path.join(folder, "nginx.conf")]
        return serve(context, allocator, command, folder, answers(path),
                     lambda: replay(context, path, self.requests, inputs.LAST, "Date: "))


class Postgres(Server):
    """PostgreSQL on a unix socket, pgbench's read-only transactions by four clients, then a few larger queries.

    It refuses to run as root: then it runs as the user postgres or nobody, in a temporary folder of that user's.
    """
    name = "postgres"
    packages = ("libpq5", "libicu72", "libxml2", "libldap-2.5-0", "libgssapi-krb5-2", "libpam0g", "libsystemd0", "liblz4-1",
                "libzstd1", "libssl3", "zlib1g", "libreadline8")  # what PostgreSQL's programs need
    QUERIES = ("SELECT bid, count(*), sum(aid % 97) FROM pgbench_accounts GROUP BY bid ORDER BY bid",
               "SELECT a.aid % 100 AS g, string_agg(b.bid::text, ',' ORDER BY a.aid) FROM pgbench_accounts a "
               "JOIN pgbench_branches b USING (bid) WHERE a.aid % 5 = 0 GROUP BY g ORDER BY g",
               "SELECT array_length(array_agg(aid ORDER BY filler, aid DESC), 1) FROM pgbench_accounts")

    def tool(self, name):
        return next((path for folder in self.programs if os.path.exists(path := os.path.join(folder, name))), name)

    def as_user(self, command):
        user = self.user
        if not user:
            return command
        return ["setpriv", "--reuid", str(user.pw_uid), "--regid", str(user.pw_gid), "--clear-groups", *command]

    def plain(self, command):
        got = subprocess.run(self.as_user(command), cwd=self.home.name, capture_output=True, text=True, timeout=120,
                             env=measure.environment(self.home.name))
        if got.returncode != 0:
            raise ServerError(f"{os.path.basename(command[0])}: {(got.stderr or got.stdout).strip()[-160:]}")
        return got.stdout

    def find(self, context):
        """The folders with postgres, psql and pgbench: installed, or unpacked from Debian's packages."""
        installed = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: int(path.split("/")[4]), reverse=True)
        self.programs, self.user = installed[:1], None
        if not self.tool("postgres").startswith("/") or not self.tool("pgbench").startswith("/"):
            unpacked = [packages.unpack(name, context.packages) for name in ("postgresql-15", "postgresql-client-15")]
            self.programs = [path for folder in filter(None, unpacked) for path in glob.glob(folder + "/usr/lib/postgresql/*/bin")]
        missing = [name for name in ("postgres", "initdb", "psql", "pgbench") if not self.tool(name).startswith("/")]
        return f"PostgreSQL's {' '.join(missing)} not found, and cannot be unpacked" if missing else None

    def prepare(self, context):
        error = self.find(context)
        if error:
            return error
        if os.geteuid() == 0:
            names = {entry.pw_name: entry for entry in pwd.getpwall()}
            self.user = names.get("postgres") or names.get("nobody")
        self.home = tempfile.TemporaryDirectory(prefix="bench-pg-", ignore_cleanup_errors=True)
        if self.user:
            os.chown(self.home.name, self.user.pw_uid, self.user.pw_gid)
        self.data, self.scale = os.path.join(self.home.name, "data"), context.scale
        try:
            self.plain([self.tool("initdb"), "-D", self.data, "-A", "trust", "-U", "bench", "--no-sync", "-E", "UTF8", "--locale=C"])
        except (ServerError, OSError, subprocess.SubprocessError) as error:
            return f"initdb: {error}"
        self.filled = False
        return None

    def client(self, name, *arguments):
        return self.plain([self.tool(name), "-h", self.home.name, "-U", "bench", *arguments])

    def ready(self):
        try:
            self.plain([self.tool("pg_isready"), "-q", "-h", self.home.name, "-U", "bench"])
            return True
        except ServerError:
            return False

    def fill(self):
        if not self.filled:
            self.client("pgbench", "-i", "-q", "-s", "2", "postgres")
            self.filled = True

    def work(self):
        self.client("pgbench", "-n", "-S", "-c", "4", "-j", "1", "-t", str(max(10, int(8000 * self.scale))), "postgres")
        output = "".join(self.client("psql", "-X", "-A", "-t", "-c", query, "postgres") for query in self.QUERIES)
        return measure.digest(output.encode())

    def command(self):
        return self.as_user([self.tool("postgres"), "-D", self.data, "-k", self.home.name, "-c", "listen_addresses=",
                             "-c", "fsync=off", "-c", "shared_buffers=32MB", "-c", "autovacuum=off", "-c", "jit=off"])

    def run(self, context, allocator):
        folder = self.folder(context)
        if not self.filled:  # the first run fills the tables, in a server of its own
            filled = serve(context, allocator, self.command(), folder, self.ready, lambda: self.fill() or "filled")
            if filled.status != "ok":
                return filled
        return serve(context, allocator, self.command(), folder, self.ready, self.work)


SERVERS = [RedisReplay(), RedisBenchmark(), Memcached(), Nginx(), Postgres()]
