//! What configured topics mean: a topic and a payload become values and events. PURE.
//!
//! Knows neither the connection nor the clock, and refuses to decide anything about appliances.

pub mod template;
