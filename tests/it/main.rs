//! The integration tests, in one binary: what crosses a socket is tested against real brokers.

// Helpers outside `#[test]` functions may fail a test as well.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod against_naive;
mod bound;
mod bridge;
mod bridge_commands;
mod bridge_estimate;
mod bridge_guards;
mod bridge_modes;
mod bridge_outages;
mod bridge_power;
mod bridge_rivals;
mod bridge_sensors;
mod bridge_setpoints;
mod client;
mod command_line;
mod configuration;
mod core;
#[cfg(feature = "embedded-broker")]
mod demo;
mod devices;
#[cfg(feature = "embedded-broker")]
mod embedded_broker;
mod examples;
mod habits;
mod home;
mod home_assistant;
mod homes;
mod layers;
mod leftovers;
mod mosquitto;
mod mqtt_layer;
mod mqtt_outages;
mod mqtt_wire;
mod naive;
mod panics;
mod peer;
mod program;
mod recipes;
mod recording;
mod replay;
mod replay_recipes;
mod scripted;
