//! The commands, one file each, and how the program is called.

mod arguments;
pub mod ask;
pub mod check;
#[cfg(feature = "embedded-broker")]
pub mod demo;
mod execute;
mod failure;
mod files;
mod hash_password;
pub mod listen;
mod log;
mod output_file;
mod recording;
pub mod replay;
pub mod run;

pub use arguments::Arguments;
pub use execute::execute;
pub use failure::Failure;
pub use log::begin;
