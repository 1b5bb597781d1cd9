// As much of the ESP32's Wi-Fi as the example sketch uses; always connected.
#pragma once
enum { WIFI_STA = 1, WL_CONNECTED = 3 };

struct WiFiClient {};

struct Wifi {
  void mode(int) {}
  void begin(const char*, const char*) {}
  int status() { return WL_CONNECTED; }
};
extern Wifi WiFi;
