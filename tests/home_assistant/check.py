"""What a user of Home Assistant gets from Sunward, checked from both ends: check.py SUNWARD."""
import asyncio
import json
import pathlib
import re
import sys
import tempfile
import time

import paho.mqtt.client as paho

from processes import HOST, HomeAssistant, Mosquitto, Sunward, read_json, until

PROGRAM = str(pathlib.Path(sys.argv[1]).resolve())
ROOT = pathlib.Path(__file__).parents[2]
DOCS = ROOT / "docs" / "home-assistant.md"
DASHBOARD = ROOT / "examples" / "home-assistant" / "dashboard.yaml"

BOILER = {"name": "Boiler", "power": 2000, "keys": ["boiler"]}
WALLBOX = {"name": "Wallbox", "power": 1400, "keys": ["ev"], "auto_adjust": True, "max_power": 11000}
RECORD = {"net": -2500, "solar": 5000, "boiler": 0, "ev": 1500}

# After one cycle with that record: the state (a number, a range of them, a word, or `any`), the unit, the device class.
any = ...
SUNWARD = {
    "switch.sunward_scheduling": ("on", None, None),
    "button.sunward_schedule": (any, None, None),
    "button.sunward_stop_all": (any, None, None),
    "sensor.sunward_state": ("Active", None, "enum"),
    "sensor.sunward_net": (-2500, "W", "power"),
    "sensor.sunward_solar": (5000, "W", "power"),
    "sensor.sunward_task_power": (1500, "W", "power"),
    "sensor.sunward_task_ratio": (100, "%", None),
    "sensor.sunward_last_started": ("Boiler", None, None),
    "sensor.sunward_last_stopped": ("unknown", None, None),
    "sensor.sunward_last_cycle": (any, None, "timestamp"),
    "binary_sensor.sunward_problem": ("off", None, "problem"),
}


def task(slug, running, status, power, ratio):
    return {
        f"binary_sensor.sunward_{slug}_running": (running, None, "running"),
        f"sensor.sunward_{slug}_status": (status, None, "enum"),
        f"sensor.sunward_{slug}_power": (power, "W", "power"),
        f"sensor.sunward_{slug}_energy_today": (0, "kWh", "energy"),
        f"sensor.sunward_{slug}_ratio": (ratio, "%", None),
        f"sensor.sunward_{slug}_on_today": (0, "min", "duration"),
        f"sensor.sunward_{slug}_starts_today": (0, None, None),
        f"select.sunward_{slug}_mode": ("Automatic", None, None),
        f"select.sunward_{slug}_priority": ("Automatic", None, None),
    }


TASKS = {
    "Boiler": task("boiler", "off", "Stopped", 0, 125),
    "Wallbox": task("ev", "on", "Running", 1500, 100) | {"sensor.sunward_ev_setpoint": (range(1400, 11001), "W", "power")},
}


class Bus:
    """The broker as a plug sees it: the newest payload of every topic, and every command."""

    def __init__(self, port):
        self.seen, self.commands = {}, []
        self.client = paho.Client(paho.CallbackAPIVersion.VERSION2) if hasattr(paho, "CallbackAPIVersion") else paho.Client()
        self.client.on_connect = lambda client, *_: client.subscribe("#")
        self.client.on_message = self.note
        self.client.connect(HOST, port)
        self.client.loop_start()

    def note(self, _client, _userdata, message):
        payload = message.payload.decode()
        self.seen[message.topic] = payload
        if command := re.fullmatch(r"sunward/task/([^/]+)/set", message.topic):
            self.commands.append(f"{command[1]}={payload}")

    def publish(self, topic, payload, retain=False):
        text = payload if isinstance(payload, str) else json.dumps(payload)
        self.client.publish(topic, text, qos=1, retain=retain).wait_for_publish(10)

    def task(self, name, registration=None, state=None):
        if registration is not None:
            self.publish(f"sunward/task/{name}/config", registration, retain=True)
        if state is not None:
            self.publish(f"sunward/task/{name}/state", state, retain=True)

    def json(self, topic):
        return read_json(self.seen.get(topic, ""))

    async def cycle(self, record):
        """A record and a cycle of it."""
        before = self.json("sunward/scheduler/cycle").get("time")
        self.publish("sunward/power", record)
        self.publish("sunward/scheduler/set", "schedule")
        await until("a cycle", lambda: self.json("sunward/scheduler/cycle").get("time") not in (None, before))


class Check:
    def __init__(self, folder):
        self.broker, self.sunward = Mosquitto(folder, "mosquitto"), Sunward(folder, "sunward")
        self.home = HomeAssistant(folder, "home_assistant")

    async def prepare(self):
        await self.broker.start()
        self.bus = Bus(self.broker.port)
        self.home.configure()
        began = time.monotonic()
        await self.home.start()
        await self.home.add_mqtt(self.broker.port)
        version = (await self.home.get("/api/config"))["version"]
        print(f"Home Assistant {version}, there after {time.monotonic() - began:.0f} s", flush=True)
        self.start_sunward()

    def start_sunward(self, settings=""):
        self.bus.seen.pop("sunward/scheduler/availability", None)
        self.sunward.start(PROGRAM, self.broker.port, settings)

    async def online(self):
        await until("Sunward", lambda: self.bus.seen.get("sunward/scheduler/availability") == "online")

    async def becomes(self, entity, state):
        """Waits until an entity has this state."""
        async def has():
            return (await self.home.states()).get(entity, {}).get("state") == state
        await until(f"{entity} = {state}", has)

    async def ours(self):
        return {entity: device for entity, device in (await self.home.entities()).items() if "sunward" in entity}

    # What is checked, in this order.

    async def every_entity_appears_with_its_state_unit_and_device(self):
        self.bus.task("boiler", BOILER, "OFF")
        self.bus.task("ev", WALLBOX, "ON")
        await self.online()
        await self.bus.cycle(RECORD)
        expected = {entity: ("Sunward", *rest) for entity, rest in SUNWARD.items()}
        for name, entities in TASKS.items():
            expected |= {entity: (name, *rest) for entity, rest in entities.items()}
        await self.becomes("sensor.sunward_last_started", "Boiler")
        devices, states = await self.ours(), await self.home.states()
        assert devices.keys() == expected.keys(), devices.keys() ^ expected.keys()
        for entity, (device, state, unit, device_class) in expected.items():
            attributes, found = states[entity]["attributes"], states[entity]["state"]
            assert devices[entity]["name"] == device, (entity, devices[entity])
            if isinstance(state, range):
                assert round(float(found)) in state, (entity, found, state)
            elif isinstance(state, int):
                assert round(float(found)) == state, (entity, found, state)
            else:
                assert state in (found, any) and found != "unavailable", (entity, found, state)
            assert attributes.get("unit_of_measurement") == unit, (entity, attributes)
            assert attributes.get("device_class") == device_class, (entity, attributes)
        sunward = devices["sensor.sunward_net"]
        assert sunward["via_device_id"] is None
        assert {devices[f"sensor.sunward_{task}_power"]["via_device_id"] for task in ("boiler", "ev")} == {sunward["id"]}
        status = states["sensor.sunward_boiler_status"]["attributes"]
        assert "2500 W are available" in status["reason"], status
        started = states["sensor.sunward_last_started"]["attributes"]
        assert started["rule"] == "elected" and "2500 W are available" in started["reason"], started

    async def numbers_are_short_and_stay_while_a_meter_is_slow(self):
        await self.bus.cycle({"net": -590.123456, "solar": 5000, "boiler": 0, "ev": 1533.333333})
        # A ratio of 0.29: times 100 it is 28.999999999999996.
        await self.becomes("sensor.sunward_boiler_ratio", "29")
        await self.becomes("sensor.sunward_task_power", "1533.3")
        before = (await self.home.states())["sensor.sunward_last_cycle"]["state"]
        await asyncio.sleep(1)
        self.bus.publish("sunward/scheduler/set", "schedule")
        async def again():
            return (await self.home.states())["sensor.sunward_last_cycle"]["state"] != before
        await until("a cycle without a record", again)
        assert self.bus.json("sunward/scheduler/cycle")["skipped"] == "no_record"
        states = {entity: state["state"] for entity, state in (await self.home.states()).items()}
        for entity in ("net", "solar", "task_power", "task_ratio"):
            assert states[f"sensor.sunward_{entity}"] != "unknown", entity
        long = [(entity, states[entity]) for entity in await self.ours() if re.search(r"\.\d{4}", states[entity])]
        assert not long, long

    async def the_dashboard_shows_entities_that_exist(self):
        shown = set(re.findall(r"\b(?:sensor|binary_sensor|switch|select|button)\.sunward_\w+", DASHBOARD.read_text()))
        assert shown and shown <= (await self.ours()).keys(), shown - (await self.ours()).keys()

    async def the_switch_pauses_sunward(self):
        for action, paused in (("off", True), ("on", False)):
            await self.home.call(f"switch.turn_{action}", "switch.sunward_scheduling")
            await until(action, lambda: self.bus.json("sunward/scheduler/state").get("paused") is paused)
            await self.becomes("switch.sunward_scheduling", action)
            await self.becomes("sensor.sunward_state", "Paused" if paused else "Active")

    async def the_buttons_run_a_cycle_and_stop_everything(self):
        before = self.bus.json("sunward/scheduler/cycle")["time"]
        await self.home.call("button.press", "button.sunward_schedule")
        await until("a cycle", lambda: self.bus.json("sunward/scheduler/cycle")["time"] != before)
        self.bus.commands.clear()
        await self.home.call("button.press", "button.sunward_stop_all")
        await until("a stop", lambda: "ev=stop" in self.bus.commands)
        self.bus.task("ev", state="OFF")
        await self.becomes("binary_sensor.sunward_ev_running", "off")
        await self.home.call("switch.turn_on", "switch.sunward_scheduling")
        await self.becomes("sensor.sunward_state", "Active")

    async def a_mode_and_a_priority_reach_the_task(self):
        self.bus.commands.clear()
        await self.home.call("select.select_option", "select.sunward_boiler_mode", option="On")
        await until("a start", lambda: "boiler=start" in self.bus.commands)
        await self.becomes("select.sunward_boiler_mode", "On")
        await self.home.call("select.select_option", "select.sunward_boiler_priority", option="Urgent")
        await until("urgent", lambda: self.bus.json("sunward/task/boiler/report").get("priority") == "urgent")
        await self.becomes("select.sunward_boiler_priority", "Urgent")
        for entity in ("select.sunward_boiler_mode", "select.sunward_boiler_priority"):
            await self.home.call("select.select_option", entity, option="Automatic")
            await self.becomes(entity, "Automatic")

    async def a_problem_shows_with_what_it_is(self):
        self.bus.publish("sunward/power", "nonsense")
        await self.becomes("binary_sensor.sunward_problem", "on")
        attributes = (await self.home.states())["binary_sensor.sunward_problem"]["attributes"]
        assert attributes["last_error"]["topic"] == "sunward/power" and attributes["rejected"] == 1, attributes

    async def a_changed_registration_changes_the_same_entities(self):
        before = await self.ours()
        self.bus.task("ev", {"name": "Car", "power": 1400, "keys": ["ev"]})
        async def renamed():
            return (await self.ours()).get("sensor.sunward_ev_power", {}).get("name") == "Car"
        await until("another name", renamed)
        async def gone():
            return "sensor.sunward_ev_setpoint" not in await self.ours()
        await until("no set-point", gone)
        assert (await self.ours()).keys() == before.keys() - {"sensor.sunward_ev_setpoint"}

    async def all_is_there_again_when_home_assistant_restarts(self):
        before = (await self.ours()).keys()
        self.bus.seen.clear()
        await self.home.restart()
        await until("its birth", lambda: "Home Assistant has started" in self.sunward.log().split("online with")[-1])
        await self.becomes("sensor.sunward_boiler_status", "Stopped")
        states = await self.home.states()
        assert (await self.ours()).keys() == before
        away = [entity for entity in before if states[entity]["state"] == "unavailable"]
        assert not away, away

    async def everything_is_unavailable_while_sunward_is_away(self):
        for kill in (True, False):
            self.sunward.stop(kill)
            for entity in ("switch.sunward_scheduling", "sensor.sunward_boiler_status", "select.sunward_ev_mode"):
                await self.becomes(entity, "unavailable")
            self.start_sunward()
            await self.online()
            await self.becomes("sensor.sunward_boiler_status", "Stopped")

    async def a_task_that_unregisters_leaves_nothing(self):
        for name in ("boiler", "ev"):
            self.bus.task(name, "", "")
        async def gone():
            return (await self.ours()).keys() == SUNWARD.keys()
        await until("only Sunward", gone)

    async def the_recipes_of_the_docs_make_a_meter_and_a_task(self):
        self.home.add_packages(recipes() | {"entities": ENTITIES})
        self.bus.seen.clear()
        await self.home.restart()
        await until("the fountain", lambda: "sunward/task/fountain/state" in self.bus.seen)
        await self.becomes("sensor.sunward_fountain_status", "Stopped")
        for watts in (-1499, -1500):
            await self.home.call("input_number.set_value", "input_number.grid", value=watts)
            await until("a record", lambda: self.bus.json("sunward/power").get("net") == watts)
        assert self.bus.json("sunward/power")["solar"] == 0
        self.bus.publish("sunward/scheduler/set", "schedule")
        await self.becomes("switch.fountain", "on")
        await self.becomes("binary_sensor.sunward_fountain_running", "on")
        await self.home.call("switch.turn_off", "switch.fountain")
        await self.becomes("binary_sensor.sunward_fountain_running", "off")
        # The other way to make a meter: statestream, and sensors in Sunward's configuration.
        await self.home.call("automation.turn_off", "automation.sunward_power_record")
        self.sunward.stop()
        self.start_sunward(settings="\n".join(blocks(r"toml\n(?=\[\[power)")))
        await self.online()
        await self.home.call("input_number.set_value", "input_number.grid", value=-1600)
        await until("its statestream", lambda: self.bus.seen.get("statestream/sensor/grid_power/state") == "-1600.0")
        self.bus.publish("sunward/scheduler/set", "schedule")
        record = lambda: self.bus.json("sunward/scheduler/cycle").get("record") or {}
        await until("the record of the sensors", lambda: record().get("net") == -1600)

    async def without_discovery_nothing_is_left_in_home_assistant(self):
        self.sunward.stop()
        self.start_sunward(settings="[homeassistant]\ndiscovery = false")
        await self.online()
        async def gone():
            return not await self.ours()
        await until("nothing", gone)
        devices = [device["name"] for device in await self.home.ask("config/device_registry/list")]
        assert not {"Sunward", "Boiler", "Car"} & set(devices), devices
        retained = Bus(self.broker.port)
        await until("retained", lambda: "sunward/scheduler/state" in retained.seen)
        left = [topic for topic in retained.seen if re.search("boiler|/ev/|task_ev|homeassistant/device", topic)]
        assert not left, left

    async def home_assistant_had_nothing_to_complain_about(self):
        problems = self.home.problems(r"sunward|boiler|wallbox|components\.mqtt|helpers\.template")
        assert not problems, "\n".join(problems)
        issues = (await self.home.ask("repairs/list_issues"))["issues"]
        assert not [issue for issue in issues if issue["domain"] in ("mqtt", "automation", "template")], issues

    def end(self):
        self.sunward.stop()
        self.broker.stop()


# What the recipes speak of.
ENTITIES = """
input_number:
  grid: {min: -10000, max: 10000}
input_boolean:
  fountain: {name: Fountain switch}
template:
  - sensor:
      - name: Grid power
        unit_of_measurement: W
        state: "{{ states('input_number.grid') }}"
  - switch:
      - name: Fountain
        state: "{{ is_state('input_boolean.fountain', 'on') }}"
        turn_on: {action: input_boolean.turn_on, target: {entity_id: input_boolean.fountain}}
        turn_off: {action: input_boolean.turn_off, target: {entity_id: input_boolean.fountain}}
"""


def blocks(begin):
    """The code of the docs that begins so."""
    found = re.findall(f"```{begin}(.*?)```", DOCS.read_text(), re.DOTALL)
    assert found, begin
    return found


def recipes():
    """The recipes of the docs, as packages of Home Assistant's configuration."""
    return {f"recipe{n}": yaml for n, yaml in enumerate(blocks(r"yaml\n# package: [^\n]*\n"))}


CHECKS = [
    Check.every_entity_appears_with_its_state_unit_and_device,
    Check.numbers_are_short_and_stay_while_a_meter_is_slow,
    Check.the_dashboard_shows_entities_that_exist,
    Check.the_switch_pauses_sunward,
    Check.the_buttons_run_a_cycle_and_stop_everything,
    Check.a_mode_and_a_priority_reach_the_task,
    Check.a_problem_shows_with_what_it_is,
    Check.a_changed_registration_changes_the_same_entities,
    Check.all_is_there_again_when_home_assistant_restarts,
    Check.everything_is_unavailable_while_sunward_is_away,
    Check.a_task_that_unregisters_leaves_nothing,
    Check.the_recipes_of_the_docs_make_a_meter_and_a_task,
    Check.without_discovery_nothing_is_left_in_home_assistant,
    Check.home_assistant_had_nothing_to_complain_about,
]


async def main():
    with tempfile.TemporaryDirectory() as folder:
        check = Check(folder)
        try:
            await check.prepare()
            for step in CHECKS:
                began = time.monotonic()
                await step(check)
                print(f"ok {step.__name__.replace('_', ' ')} ({time.monotonic() - began:.1f} s)", flush=True)
        except BaseException:
            print("Sunward:\n" + check.sunward.log()[-2000:])
            print("Home Assistant:\n" + "\n".join(check.home.problems("."))[-4000:])
            raise
        finally:
            await check.home.close()
            check.end()


asyncio.run(main())
