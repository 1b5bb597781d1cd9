//! Sunward runs the appliances of a home when the sun pays for them.

pub mod config;

pub mod scheduler;
pub mod units;
