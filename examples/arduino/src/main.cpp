// A plug that registers itself with Sunward, for ESP32 and ESP8266.
//
// Every start is a lease: Sunward repeats it while it wants the plug to run, and the plug stops by itself when no start came
// for five minutes. So it is off soon after Sunward, the broker or the Wi-Fi died.
//
// Two things to know about PubSubClient, the MQTT library used here:
// - It cuts messages at 256 bytes, topic included, unless told otherwise: setBufferSize() below, before the first connect.
// - It publishes with QoS 0 only, so a state may get lost: it is told again every 30 s.

#include <Arduino.h>
#if defined(ESP8266)
#include <ESP8266WiFi.h>
#else
#include <WiFi.h>
#endif
#include <PubSubClient.h>

// ---- Adapt these --------------------------------------------------------------------------------------------------------

static const char WIFI_SSID[] = "home";
static const char WIFI_PASSWORD[] = "secret";
static const char BROKER[] = "192.168.1.2";
static const char MQTT_USER[] = "boiler";
static const char MQTT_PASSWORD[] = "secret";

// The task's id is part of every topic. Keys, criteria and everything else: docs/mqtt.md.
#define TASK "sunward/task/boiler"
static const char CONFIG[] =
    R"({"name": "Boiler", "power": 2000, "lease": "5m", "min_on": "5m", "min_off": "5m"})";
static const uint32_t LEASE_MS = 5UL * 60 * 1000;

static const int RELAY_PIN = 12;
static const int RELAY_ON = HIGH;

// -------------------------------------------------------------------------------------------------------------------------

static const uint32_t TELL_EVERY_MS = 30UL * 1000;
static const uint32_t CONNECT_EVERY_MS = 5UL * 1000;

static WiFiClient network;
static PubSubClient mqtt(network);

static bool running = false;
static uint32_t leased_at = 0;
static uint32_t told_at = 0;
static uint32_t tried_at = 0;
static bool tried = false;

// Right even when millis() starts again from 0, which it does every 49 days.
static uint32_t since(uint32_t then) {
  return millis() - then;
}

static void tell() {
  told_at = millis();
  if (mqtt.connected() && !mqtt.publish(TASK "/state", running ? "{\"running\": true}" : "{\"running\": false}", true)) {
    Serial.println("the state could not be sent");
  }
}

static void switch_to(bool on) {
  digitalWrite(RELAY_PIN, on ? RELAY_ON : !RELAY_ON);
  if (running != on) {
    running = on;
    tell();
  }
}

static bool says(const byte* payload, unsigned int length, const char* word) {
  return length == strlen(word) && memcmp(payload, word, length) == 0;
}

// The only topic it listens to is its own `set`.
static void on_message(char*, byte* payload, unsigned int length) {
  if (says(payload, length, "start")) {
    leased_at = millis();
    switch_to(true);
  } else if (says(payload, length, "stop")) {
    switch_to(false);
  }
}

static void connect() {
  tried = true;
  tried_at = millis();
  // The last will says `offline` when the plug is gone.
  if (!mqtt.connect("sunward-boiler", MQTT_USER, MQTT_PASSWORD, TASK "/availability", 1, true, "offline", true)) {
    Serial.print("no broker, PubSubClient's state is ");
    Serial.println(mqtt.state());
    return;
  }
  if (!mqtt.publish(TASK "/config", CONFIG, true)) {
    Serial.println("the registration is longer than the buffer");
  }
  mqtt.subscribe(TASK "/set", 1);
  tell();
  mqtt.publish(TASK "/availability", "online", true);
}

void setup() {
  Serial.begin(115200);
  pinMode(RELAY_PIN, OUTPUT);
  digitalWrite(RELAY_PIN, !RELAY_ON);
  WiFi.mode(WIFI_STA);
  WiFi.begin(WIFI_SSID, WIFI_PASSWORD);
  mqtt.setServer(BROKER, 1883);
  mqtt.setCallback(on_message);
  // connect() waits for an answer, and the lease is minded between two connects only.
  mqtt.setSocketTimeout(5);
  if (!mqtt.setBufferSize(1024)) {
    Serial.println("no memory for the MQTT buffer");
  }
}

void loop() {
  if (running && since(leased_at) >= LEASE_MS) {
    Serial.println("the lease ran out");
    switch_to(false);
  }
  if (mqtt.connected()) {
    mqtt.loop();
  } else if (WiFi.status() == WL_CONNECTED && (!tried || since(tried_at) >= CONNECT_EVERY_MS)) {
    connect();
  }
  if (since(told_at) >= TELL_EVERY_MS) {
    tell();
  }
}
