//! Sunward runs the appliances of a home when the sun pays for them.

pub mod cli;
pub mod config;
pub mod mqtt;
pub mod scheduler;
pub mod units;
