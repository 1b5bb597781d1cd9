"""A Mosquitto, a Sunward and a Home Assistant for one check: each a process on a free loopback port.

Knows how to start, ask and end them; what is expected of them stands in check.py. Runs in the virtual environment of
Home Assistant and uses two libraries that come with it: aiohttp and paho-mqtt.
"""
import asyncio
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import time

import aiohttp

HOST = "127.0.0.1"
CLIENT = f"http://{HOST}/"


def free_port():
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


async def until(what, condition, seconds=30):
    """Waits until the condition, asked again and again, gives something true; answers that."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if asyncio.iscoroutine(found):
            found = await found
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"never came: {what}")
        await asyncio.sleep(0.1)


class Process:
    """A program whose output goes to a file."""

    def __init__(self, folder, name):
        self.folder = pathlib.Path(folder) / name
        self.folder.mkdir(parents=True, exist_ok=True)
        self.log_file = self.folder / "log"
        self.child = None

    def spawn(self, *command, **environment):
        with open(self.log_file, "ab") as log:
            self.child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder, env={**os.environ, **environment}
            )

    def log(self):
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def stop(self, kill=False):
        if self.child and self.child.poll() is None:
            (self.child.kill if kill else self.child.terminate)()
            try:
                self.child.wait(30)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()
        self.child = None


class Mosquitto(Process):
    async def start(self):
        self.port = free_port()
        config = self.folder / "mosquitto.conf"
        config.write_text(f"listener {self.port} {HOST}\nallow_anonymous true\n")
        self.spawn(shutil.which("mosquitto"), "-c", str(config))
        await until("the broker", self.answers)

    def answers(self):
        with socket.socket() as probe:
            return probe.connect_ex((HOST, self.port)) == 0


class Sunward(Process):
    """The scheduler. A cycle runs only when somebody asks for one."""

    def start(self, program, port, settings):
        (self.folder / "sunward.toml").write_text(settings)
        # One record tells what a check is about; that two confirm a start is tested with the rules.
        self.spawn(program, SUNWARD__MQTT__URL=f"mqtt://{HOST}:{port}", SUNWARD__SCHEDULER__CYCLE="1d",
                   SUNWARD__SCHEDULER__CONFIRM_RECORDS="1")


class HomeAssistant(Process):
    """Home Assistant with the MQTT integration, set up as its user would: through its own API."""

    def configure(self):
        self.port = free_port()
        base = (
            "homeassistant:\n  name: Test\n  latitude: 52\n  longitude: 5\n  elevation: 0\n  unit_system: metric\n"
            "  time_zone: UTC\n  country: NL\n  currency: EUR\n  packages: !include_dir_named packages\n"
            f"http:\n  server_host: {HOST}\n  server_port: {self.port}\n"
            "api:\nconfig:\nlogger:\n  default: warning\n"
        )
        (self.folder / "configuration.yaml").write_text(base)
        (self.folder / "packages").mkdir()

    def add_packages(self, yaml):
        """More configuration, in force after a restart."""
        for name, text in yaml.items():
            (self.folder / "packages" / f"{name}.yaml").write_text(text)

    async def start(self):
        hass = pathlib.Path(sys.executable).parent / "hass"
        # The first start installs what integrations need.
        self.spawn(str(hass), "--config", str(self.folder), "--log-no-color")
        self.session = self.session if hasattr(self, "session") else aiohttp.ClientSession(f"http://{HOST}:{self.port}")
        await until("Home Assistant", self.is_running, 240)

    async def is_running(self):
        if self.child.poll() is not None:
            raise AssertionError("Home Assistant ended:\n" + self.log()[-3000:])
        try:
            if not hasattr(self, "headers"):
                await self.become_owner()
            return (await self.get("/api/config")).get("state") == "RUNNING"
        except (aiohttp.ClientError, OSError):
            return False

    async def become_owner(self):
        """The first user of a new Home Assistant, and a token."""
        user = {"client_id": CLIENT, "name": "test", "username": "test", "password": "test", "language": "en"}
        async with self.session.post("/api/onboarding/users", json=user) as reply:
            reply.raise_for_status()
            code = (await reply.json())["auth_code"]
        login = {"client_id": CLIENT, "grant_type": "authorization_code", "code": code}
        async with self.session.post("/auth/token", data=login) as reply:
            reply.raise_for_status()
            self.refresh_token = (await reply.json())["refresh_token"]
        await self.log_in()

    async def log_in(self):
        login = {"client_id": CLIENT, "grant_type": "refresh_token", "refresh_token": self.refresh_token}
        async with self.session.post("/auth/token", data=login) as reply:
            reply.raise_for_status()
            self.headers = {"Authorization": f"Bearer {(await reply.json())['access_token']}"}

    async def add_mqtt(self, port):
        flow = await self.post("/api/config/config_entries/flow", {"handler": "mqtt"})
        path = f"/api/config/config_entries/flow/{flow['flow_id']}"
        while flow["type"] == "form":
            answers = {"broker": HOST, "port": port} if flow["step_id"] == "broker" else {}
            # Newer versions have a section of other settings, which their page fills in.
            if any(field["name"] == "other_settings" for field in flow["data_schema"]):
                answers["other_settings"] = {"set_client_cert": False, "set_ca_cert": "off"}
            flow = await self.post(path, answers)
        assert flow["type"] == "create_entry", flow

    async def get(self, path):
        async with self.session.get(path, headers=self.headers) as reply:
            reply.raise_for_status()
            return await reply.json()

    async def post(self, path, body):
        async with self.session.post(path, headers=self.headers, json=body) as reply:
            assert reply.ok, f"{path}: {reply.status} {await reply.text()}"
            return await reply.json()

    async def call(self, service, entity, **data):
        domain, name = service.split(".")
        await self.post(f"/api/services/{domain}/{name}", {"entity_id": entity, **data})

    async def ask(self, command, **fields):
        """One command of the websocket API."""
        async with self.session.ws_connect("/api/websocket") as socket:
            await socket.receive_json()
            await socket.send_json({"type": "auth", "access_token": self.headers["Authorization"].split()[1]})
            assert (await socket.receive_json())["type"] == "auth_ok"
            await socket.send_json({"id": 1, "type": command, **fields})
            reply = await socket.receive_json()
            assert reply["success"], reply
            return reply["result"]

    async def states(self):
        return {state["entity_id"]: state for state in await self.get("/api/states")}

    async def entities(self):
        """What the MQTT integration made: entity id to the name of its device."""
        devices = {device["id"]: device for device in await self.ask("config/device_registry/list")}
        entities = await self.ask("config/entity_registry/list")
        return {
            entity["entity_id"]: devices[entity["device_id"]] for entity in entities if entity["platform"] == "mqtt"
        }

    def problems(self, about):
        """Warnings and errors that name what we look for, or come from where discovery is read."""
        records = re.split(r"\n(?=\d{4}-\d\d-\d\d )", self.log())
        serious = [record for record in records if re.search(r" (WARNING|ERROR|CRITICAL) ", record.split("\n")[0])]
        return [record for record in serious if re.search(about, record, re.IGNORECASE)]

    async def restart(self):
        self.stop()
        await self.start()

    async def close(self):
        self.stop()
        if hasattr(self, "session"):
            await self.session.close()


def read_json(text):
    try:
        return json.loads(text)
    except ValueError:
        return {}
