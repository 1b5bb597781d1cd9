//! The demo on a terminal: what is painted, and the terminal while it is painted on.
//!
//! Colours are those of the terminal's own palette, so that they suit whatever background people like.

mod axis;
mod chart;
mod event_line;
mod keyboard;
mod picture;
mod print;
mod rows;
mod terminal;
#[cfg(test)]
mod tests;

pub(super) use keyboard::KeyCommand;
pub(super) use picture::Picture;
pub(super) use terminal::Screen;
