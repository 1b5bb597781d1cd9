//! The fields of a task's state, as criteria see them.
//!
//! The only type with a value of minijinja in it that may be part of a public type: minijinja itself stays private.

use minijinja::value::{Serde, Value};
use serde_json::{Map, Value as Json};

/// The fields of a task's state, by name: what criteria read as `state.soc`. By default there are none.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StateFields(Value);

impl StateFields {
    /// Returns the value at a path of names with dots between them, such as `car.soc`. `None`: there is no such field.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<Json> {
        let found = path.split('.').try_fold(self.0.clone(), |value, name| value.get_attr(name).ok())?;
        if found.is_undefined() { None } else { serde_json::to_value(found).ok() }
    }

    /// Returns the fields as a value that an expression can be given.
    pub(crate) fn value(&self) -> &Value {
        &self.0
    }
}

impl From<Map<String, Json>> for StateFields {
    fn from(fields: Map<String, Json>) -> Self {
        Self(Value::from(Serde(fields)))
    }
}

impl<N: Into<String>, V: Into<Json>> FromIterator<(N, V)> for StateFields {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(fields: I) -> Self {
        let fields = fields.into_iter().map(|(name, value)| (name.into(), value.into()));
        Self::from(fields.collect::<Map<_, _>>())
    }
}

/// Writes the fields as Jinja shows them: `{'running': True, 'soc': 15}`.
impl std::fmt::Display for StateFields {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_are_found_by_their_path() {
        let fields = StateFields::from_iter([("car", json!({"soc": 15})), ("plug", json!("in"))]);
        assert_eq!(fields.get("car.soc"), Some(json!(15)));
        assert_eq!(fields.get("car"), Some(json!({"soc": 15})));
        assert_eq!(
            [fields.get("range"), fields.get("car.range"), fields.get("plug.soc"), fields.get("")],
            [const { None }; 4]
        );
        assert_eq!(fields.to_string(), "{'car': {'soc': 15}, 'plug': 'in'}");
        assert_eq!(fields, StateFields::from(json!({"plug": "in", "car": {"soc": 15}}).as_object().unwrap().clone()));
        assert_eq!(StateFields::default().get("soc"), None);
    }
}
