"""The proxies, each with its configuration from the page, in front of a service and asking Keystead."""

import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import page
from relay import Relay

TOOLS = Path(__file__).resolve().parents[3] / "target" / "ci-proxies" / "bin"


def free_port():
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def nginx(folder, addresses):
    user = "user root;" if os.geteuid() == 0 else ""
    temporary = " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    written = page.mapped(page.block("nginx"), addresses)
    config = folder / "nginx.conf"
    config.write_text(
        f"daemon off; pid {folder}/nginx.pid; error_log stderr warn; {user} worker_processes 1;\n"
        f"events {{ worker_connections 64; }}\nhttp {{ access_log off; {temporary}\n{written}}}\n"
    )
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    return [program, "-p", folder, "-c", config, "-e", "stderr"]


def caddy(folder, addresses):
    config = folder / "Caddyfile"
    config.write_text("{\n\tadmin off\n}\n" + page.mapped(page.block("caddyfile"), addresses))
    return ["caddy", "run", "--config", config, "--adapter", "caddyfile"]


def traefik(folder, addresses):
    config = folder / "reports.yaml"
    config.write_text(page.mapped(page.block("yaml", "Traefik"), addresses))
    command = page.mapped(page.block("sh", "Traefik"), addresses).replace("\\\n", " ").split()
    assert command[0] == "traefik", command
    return [TOOLS / "traefik", *command[1:], "--global.checkNewVersion=false"]


def envoy(folder, addresses):
    for what in ("8080", "4000", "9000"):
        addresses[f"port_value: {what}"] = f"port_value: {addresses[f'127.0.0.1:{what}'].split(':')[1]}"
    config = folder / "envoy.yaml"
    config.write_text(page.mapped(page.block("yaml", "Envoy"), addresses))
    return [TOOLS / "envoy", "-c", config, "--log-level", "warn", "--concurrency", "1", "--disable-hot-restart"]


PROXIES = [nginx, traefik, caddy, envoy]


class Standing:
    """A proxy that runs. It reaches Keystead through `relay`."""

    def __init__(self, make, folder, keystead, service):
        self.name = make.__name__
        self.relay = Relay(keystead)
        self.address = f"127.0.0.1:{free_port()}"
        folder = folder / self.name
        folder.mkdir()
        addresses = {
            "127.0.0.1:8080": self.address,
            "127.0.0.1:4000": f"127.0.0.1:{self.relay.port}",
            "127.0.0.1:9000": f"127.0.0.1:{service.server_port}",
        }
        command = make(folder, addresses)
        self.log = folder / "log"
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=self.log.open("w"),
            stderr=subprocess.STDOUT,
            env=os.environ | {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)},
        )

    def __enter__(self):
        for _ in range(300):
            try:
                urllib.request.urlopen(f"http://{self.address}/", timeout=2)
            except urllib.error.HTTPError as error:
                # The proxy has asked Keystead: it is ready when it refuses whoever shows no key.
                if error.code == 401:
                    return self
            except OSError:
                pass
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        self.stop()
        raise RuntimeError(f"{self.name} does not ask Keystead; it says:\n{self.log.read_text()[-4000:]}")

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.relay.cut()
