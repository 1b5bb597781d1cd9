//! The key of a sensor's values, or the keys where its topic has wildcards: each topic needs its own.

use std::borrow::Cow;
use std::collections::HashMap;

use minijinja::context;

use crate::devices::template::{Rendered, Template, TemplateFailure};
use crate::wire::key_problem;

/// The most topics of one wildcard that get keys.
const MOST_TOPICS: usize = 1_000;

/// The key of a sensor.
#[derive(Debug)]
pub(super) enum SensorKey {
    /// The same for every message.
    Fixed(String),
    /// One for each topic that matches the wildcard.
    PerTopic {
        template: Box<Template>,
        /// The key of each topic so far; `None`: the template leaves this topic out.
        known: HashMap<String, Option<String>>,
    },
}

impl SensorKey {
    /// Reads the key of a sensor. `wildcard`: its topic has wildcards.
    ///
    /// # Errors
    /// Why it can't be used, in words.
    pub(super) fn new(written: &str, wildcard: bool) -> Result<Self, String> {
        let is_template = written.contains("{{") || written.contains("{%");
        let example = "as in \"{{ topic.split('/')[1] }}\"";
        if !is_template {
            return match name_problem(written) {
                Some(problem) => Err(format!("`{written}` {problem}")),
                None if wildcard => Err(format!(
                    "`{written}` would be the key of every topic that fits: expected a template over `topic`, {example}"
                )),
                None => Ok(Self::Fixed(written.to_owned())),
            };
        }
        let template = Template::over(written, &["topic"]).map_err(|problem| problem.to_string())?;
        if !template.uses("topic") {
            return Err(format!("expected a template over `topic`, {example}"));
        }
        Ok(Self::PerTopic { template: Box::new(template), known: HashMap::new() })
    }

    /// Returns the key of the values of a topic; `None` if the template leaves this topic out.
    ///
    /// # Errors
    /// When the template fails on it or yields no usable key, and when there are too many topics.
    pub(super) fn of(&mut self, topic: &str) -> Result<Option<String>, TemplateFailure> {
        let (template, known) = match self {
            Self::Fixed(name) => return Ok(Some(name.clone())),
            Self::PerTopic { template, known } => (template, known),
        };
        if let Some(key) = known.get(topic) {
            return Ok(key.clone());
        }
        let key = match template.fill(context! { topic => topic })? {
            Rendered::Absent(_) => None,
            Rendered::Text(key) => {
                if let Some(problem) = name_problem(&key) {
                    return Err(TemplateFailure(format!("the key `{key}` {problem}")));
                }
                if let Some((other, _)) = known.iter().find(|(_, taken)| taken.as_ref() == Some(&key)) {
                    return Err(TemplateFailure(format!(
                        "the key `{key}` is that of {other} already: each topic needs its own"
                    )));
                }
                Some(key)
            }
        };
        if known.len() >= MOST_TOPICS {
            return Err(TemplateFailure(format!("more than {MOST_TOPICS} topics fit")));
        }
        known.insert(topic.to_owned(), key.clone());
        Ok(key)
    }
}

/// Returns why a name can't be a key, as the end of a sentence.
pub(super) fn name_problem(name: &str) -> Option<Cow<'static, str>> {
    match name {
        "time" => Some("says in records when they were measured: expected another name".into()),
        _ if name.trim() != name => Some("has spaces at its ends".into()),
        _ => key_problem(name),
    }
}
