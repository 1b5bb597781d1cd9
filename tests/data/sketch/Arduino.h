// As much of the Arduino core as the example sketch uses, on a computer: the harness owns the clock and sees the pins.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>

typedef uint8_t byte;
enum { LOW = 0, HIGH = 1, OUTPUT = 1 };

unsigned long millis();
void pinMode(int pin, int mode);
void digitalWrite(int pin, int level);

struct SerialPort {
  void begin(unsigned long baud);
  void print(const char* text);
  void println(const char* text);
  void println(int number);
};
extern SerialPort Serial;

void setup();
void loop();
