// Runs the example sketch with a clock of its own. On standard input, one a line: `wait <ms>`, `broker on`, `broker off`,
// `message <topic> <payload>`. On standard output: what the sketch does, one a line, and `.` when that was all.
#include <cstdio>
#include <deque>
#include <string>
#include <utility>

#include "PubSubClient.h"

static unsigned long now = 0xFFFFFFFFUL - 60000;  // a minute before millis() starts again from 0
static bool broker = true;
static bool linked = false;
static std::string subscribed;
static std::deque<std::pair<std::string, std::string>> inbox;

SerialPort Serial;
Wifi WiFi;
unsigned long millis() { return now & 0xFFFFFFFFUL; }
void pinMode(int, int) {}
void digitalWrite(int pin, int level) {
  static int before = -1;
  if (level != before) printf("pin %d %s\n", pin, level == HIGH ? "high" : "low");
  before = level;
}
void SerialPort::begin(unsigned long) {}
void SerialPort::print(const char*) {}
void SerialPort::println(const char* text) { printf("serial %s\n", text); }
void SerialPort::println(int) {}

PubSubClient::PubSubClient(WiFiClient&) {}
PubSubClient& PubSubClient::setServer(const char*, uint16_t) { return *this; }
PubSubClient& PubSubClient::setCallback(Callback callback) { callback_ = callback; return *this; }
PubSubClient& PubSubClient::setSocketTimeout(uint16_t) { return *this; }
bool PubSubClient::setBufferSize(uint16_t size) { buffer_ = size; return true; }
bool PubSubClient::connected() { return linked && broker; }
int PubSubClient::state() { return connected() ? 0 : -2; }
bool PubSubClient::fits(const char* topic, size_t length) const { return 5 + 2 + strlen(topic) + length <= buffer_; }

bool PubSubClient::connect(const char* id, const char*, const char*, const char* will_topic, uint8_t will_qos, bool will_retain,
                           const char* will_message, bool clean_session) {
  linked = broker;
  if (linked) {
    printf("connect %s %s\n", id, clean_session ? "clean" : "kept");
    printf("will %d %s %s %s\n", will_qos, will_retain ? "retained" : "once", will_topic, will_message);
  }
  return linked;
}

bool PubSubClient::publish(const char* topic, const char* payload, bool retained) {
  if (!connected() || !fits(topic, strlen(payload))) return false;
  printf("publish %s %s %s\n", retained ? "retained" : "once", topic, payload);
  return true;
}

bool PubSubClient::subscribe(const char* topic, uint8_t qos) {
  subscribed = topic;
  printf("subscribe %d %s\n", qos, topic);
  return connected();
}

bool PubSubClient::loop() {
  while (connected() && !inbox.empty()) {
    auto message = inbox.front();
    inbox.pop_front();
    if (message.first == subscribed && fits(message.first.c_str(), message.second.size())) {
      callback_(&message.first[0], reinterpret_cast<byte*>(&message.second[0]), message.second.size());
    }
  }
  return connected();
}

static void that_was_all() {
  puts(".");
  fflush(stdout);
}

int main() {
  setup();
  that_was_all();
  char line[512];
  while (fgets(line, sizeof(line), stdin)) {
    line[strcspn(line, "\n")] = 0;
    unsigned long ms = 0;
    char topic[128], payload[128];
    if (sscanf(line, "wait %lu", &ms) == 1) {
      for (unsigned long end = now + ms; now < end; now += 100) loop();
    } else if (sscanf(line, "message %127s %127s", topic, payload) == 2) {
      inbox.emplace_back(topic, payload);
      loop();
    } else if (!strcmp(line, "broker on") || !strcmp(line, "broker off")) {
      broker = !strcmp(line, "broker on");
      if (!broker) linked = false;
      loop();
    } else {
      fprintf(stderr, "not understood: %s\n", line);
      return 2;
    }
    that_was_all();
  }
  return 0;
}
