//! `sunward demo`: the real program with a simulated home around it. The broker, the service, every message and every
//! task are those of a lived-in home; only sun, people and time are made up.
//!
//! Shows nothing of the scheduler that an MQTT client couldn't know: it listens like one.
//!
//! ```text
//! simulated home ──▶ observer, plugs ──▶ broker ◀──▶ service
//!        │                  │
//!        └──▶ day           └──▶ scheduler view
//!              └────────┬─────────┘
//!                 screen or lines
//! ```

mod arguments;
mod broker;
mod day;
mod event;
mod lines;
mod observer;
mod place;
mod plugs;
mod presentation;
mod registration;
mod run;
mod scheduler_view;
mod screen;
mod session;
mod summary;
mod times;
mod words;

pub use arguments::DemoArguments;
pub use run::demo;
