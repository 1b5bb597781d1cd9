// PubSubClient 2.8 as the example sketch sees it: same signatures, same limits (256 bytes with topic and header unless told
// otherwise), QoS 0. What it would send is printed.
#pragma once
#include "Arduino.h"
#include "WiFi.h"

class PubSubClient {
 public:
  typedef void (*Callback)(char*, byte*, unsigned int);

  explicit PubSubClient(WiFiClient&);
  PubSubClient& setServer(const char* domain, uint16_t port);
  PubSubClient& setCallback(Callback callback);
  PubSubClient& setSocketTimeout(uint16_t seconds);
  bool setBufferSize(uint16_t size);
  bool connect(const char* id, const char* user, const char* pass, const char* will_topic, uint8_t will_qos, bool will_retain,
               const char* will_message, bool clean_session);
  bool publish(const char* topic, const char* payload, bool retained);
  bool subscribe(const char* topic, uint8_t qos);
  bool connected();
  bool loop();
  int state();

 private:
  uint16_t buffer_ = 256;
  Callback callback_ = nullptr;
  bool fits(const char* topic, size_t length) const;
};
