//! What is decided beside the rules: by modes, guards, deadlines, and missing data. None of it asks for the sun.

pub(crate) mod deadlines;
pub(crate) mod directive;
pub(crate) mod guards;
pub(crate) mod stops;
