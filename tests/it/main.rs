//! The integration tests, in one binary: what crosses a socket is tested against real brokers.

// Helpers outside `#[test]` functions may fail a test as well.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod against_naive;
mod bound;
mod client;
mod command_line;
mod configuration;
mod core;
#[cfg(feature = "embedded-broker")]
mod demo;
mod devices;
#[cfg(feature = "embedded-broker")]
mod embedded_access;
#[cfg(feature = "embedded-broker")]
mod embedded_broker;
#[cfg(feature = "embedded-broker")]
mod embedded_limits;
mod examples;
mod foreign_text;
mod habits;
mod home;
mod home_assistant;
mod homes;
mod layers;
mod leftovers;
mod mosquitto;
mod mqtt_layer;
mod mqtt_outages;
mod mqtt_suspicions;
mod mqtt_wire;
mod naive;
mod packaging;
mod panics;
mod peer;
mod program;
#[cfg(feature = "embedded-broker")]
mod raw;
mod recipes;
mod recording;
mod reload;
mod replay;
mod replay_files;
mod replay_recipes;
mod scripted;
mod service;
mod service_bounds;
mod service_commands;
mod service_duplicates;
mod service_estimate;
mod service_guards;
mod service_modes;
mod service_outages;
mod service_power;
mod service_sensors;
mod service_setpoints;
mod steady_sun;
