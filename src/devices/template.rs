//! Home Assistant's templates for MQTT messages: `{{ value_json.power | float }}`.
//!
//! A template yields text, or nothing: a message without the field, a `null`, a word such as `unavailable`. Nothing is no
//! error and no zero; the last value stays. Refuses names and filters that don't exist when it is compiled, and to take
//! more than a bounded effort when it runs.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use minijinja::value::{Serde, Value};
use minijinja::{Environment, ErrorKind, UndefinedBehavior, context};
use serde_json::Value as Json;

use crate::jinja::{self, LONGEST, Number, is_placeholder, plain};
use crate::mqtt::payload::without_endless_numbers;

/// The names of a template that reads a message.
const MESSAGE: [&str; 3] = ["value", "value_json", "topic"];

/// The one template of its environment.
const NAME: &str = "template";

/// The longest text that a template may yield, in bytes.
const LONGEST_RESULT: usize = 4_096;

static JINJA: LazyLock<Environment<'static>> = LazyLock::new(|| {
    // Only the question whether a field is there may be asked of one that isn't, as in Home Assistant.
    let mut jinja = jinja::environment(UndefinedBehavior::SemiStrict);
    jinja.add_test("none", |value: &Value| value.is_none() || value.is_undefined());
    jinja
});

/// A compiled template.
pub struct Template {
    source: String,
    jinja: Environment<'static>,
    /// Uses `value_json`.
    reads_json: bool,
}

/// Why a text can't be a template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// Not Jinja.
    #[error("expected a template such as \"{{{{ value_json.power }}}}\": {0}")]
    Syntax(String),
    /// A name that is not given to it.
    #[error("`{name}` is unknown: expected one of {known}")]
    UnknownName {
        /// As it was written.
        name: String,
        /// What it may use.
        known: String,
    },
    /// A filter or test that doesn't exist.
    #[error("there is no filter or test `{0}`")]
    UnknownFilter(String),
    /// Longer than is compiled.
    #[error("the template has {0} characters, at most {LONGEST} are allowed")]
    TooLong(usize),
    /// Without any braces it would yield itself, whatever arrives.
    #[error("\"{0}\" is plain text: expected a template such as \"{{{{ {0} }}}}\"")]
    Constant(String),
}

/// What a template made of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Yield {
    /// This text, without white space around it.
    Text(String),
    /// Nothing: the message has no value for it.
    Absent(Absent),
}

/// Why a message has no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Absent {
    /// What the template asks for isn't in the message, or `null`.
    #[error("the message does not have what the template asks for")]
    Missing,
    /// It says so: `unavailable`, an empty text.
    #[error("the value is {0:?}")]
    Placeholder(String),
}

/// Why a template failed on a message, in words. Not the same as a message without a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Failure(String);

impl Template {
    /// A template that reads messages: it may use `value`, `value_json` and `topic`.
    ///
    /// # Errors
    /// When it does not compile, is too long, or uses a name, filter or test that doesn't exist.
    pub fn new(source: &str) -> Result<Self, TemplateError> {
        Self::over(source, &MESSAGE)
    }

    /// A template over other names, for [`Template::fill`].
    ///
    /// # Errors
    /// As [`Template::new`].
    pub fn over(source: &str, names: &[&str]) -> Result<Self, TemplateError> {
        if source.len() > LONGEST {
            return Err(TemplateError::TooLong(source.len()));
        }
        if !source.contains("{{") && !source.contains("{%") {
            return Err(TemplateError::Constant(source.to_owned()));
        }
        let mut jinja = JINJA.clone();
        let syntax = |error: minijinja::Error| TemplateError::Syntax(plain(&error));
        jinja.add_template_owned(NAME, source.to_owned()).map_err(syntax)?;
        let mut used: Vec<String> =
            jinja.get_template(NAME).map_err(syntax)?.undeclared_variables(false).into_iter().collect();
        used.sort_unstable();
        let known = |name: &str| names.contains(&name) || jinja.globals().any(|(global, _)| global == name);
        if let Some(name) = used.iter().find(|name| !known(name)) {
            return Err(TemplateError::UnknownName { name: name.clone(), known: names.join(", ") });
        }
        if let Some(word) = jinja::unknown_word(&jinja, source, false) {
            return Err(TemplateError::UnknownFilter(word));
        }
        Ok(Self { source: source.to_owned(), jinja, reads_json: used.iter().any(|name| name == "value_json") })
    }

    /// As it was written.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// What it makes of a message.
    ///
    /// # Errors
    /// When the payload is not the JSON that the template needs, or the template fails on it.
    pub fn read(&self, message: &Message<'_>) -> Result<Yield, Failure> {
        let given = |json: Value| context! { value => message.text, topic => message.topic, value_json => json };
        if !self.reads_json {
            return self.fill(given(Value::UNDEFINED));
        }
        let json = match message.json() {
            Ok(json) => json,
            Err(_) if is_placeholder(message.text) => {
                return Ok(Yield::Absent(Absent::Placeholder(message.text.trim().to_owned())));
            }
            // `value_json` isn't defined: the template may know what to do about it.
            Err(problem) => {
                return match self.fill(given(Value::UNDEFINED))? {
                    Yield::Absent(Absent::Missing) => Err(Failure(format!("the payload is not JSON: {problem}"))),
                    outcome => Ok(outcome),
                };
            }
        };
        if let Some(without_nulls) = &json.without_nulls {
            // What reckons with a null or compares it has no value, where minijinja finds it smaller than any number.
            let outcome = self.fill(given(without_nulls.clone()))?;
            if matches!(outcome, Yield::Absent(_)) {
                return Ok(outcome);
            }
        }
        self.fill(given(json.as_sent.clone()))
    }

    /// What it makes of these names.
    ///
    /// # Errors
    /// When it fails on them.
    pub fn fill(&self, names: Value) -> Result<Yield, Failure> {
        let rendered = self.jinja.get_template(NAME).and_then(|template| template.render(names));
        let text = match rendered {
            Ok(text) if text.len() > LONGEST_RESULT => {
                return Err(Failure(format!(
                    "the template yields {} bytes, at most {LONGEST_RESULT} are used",
                    text.len()
                )));
            }
            Ok(text) => text.trim().to_owned(),
            Err(error) if is_undefined(&error) => return Ok(Yield::Absent(Absent::Missing)),
            Err(error) => return Err(Failure(plain(&error))),
        };
        if is_placeholder(&text) { Ok(Yield::Absent(Absent::Placeholder(text))) } else { Ok(Yield::Text(text)) }
    }
}

/// Whether it failed on something that isn't there. minijinja has no kind of its own for reckoning with that: `+` names
/// the types, and a minus before it says nothing at all.
fn is_undefined(error: &minijinja::Error) -> bool {
    let reckoned = || error.detail().is_none_or(|detail| detail.contains("types") && detail.contains("undefined"));
    error.kind() == ErrorKind::UndefinedError || error.kind() == ErrorKind::InvalidOperation && reckoned()
}

/// A text that should be a number, with the devices' words for having none.
///
/// # Errors
/// When it is something else.
pub fn number(text: &str) -> Result<Result<f64, Absent>, Failure> {
    match jinja::number(text) {
        Number::Is(number) => Ok(Ok(number)),
        Number::Absent => Ok(Err(Absent::Placeholder(text.trim().to_owned()))),
        Number::Not => {
            let (shown, more) = match text.char_indices().nth(60) {
                Some((end, _)) => (&text[..end], "…"),
                None => (text, ""),
            };
            Err(Failure(format!("expected a number, found \"{shown}\"{more}")))
        }
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.source)
    }
}

impl PartialEq for Template {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

/// A message as templates see it. Its JSON is read once, and only if a template asks.
pub struct Message<'a> {
    topic: &'a str,
    text: &'a str,
    json: OnceCell<Result<Document, String>>,
}

/// The JSON of a message.
struct Document {
    as_sent: Value,
    /// With every `null` left out, if there are any.
    without_nulls: Option<Value>,
}

impl<'a> Message<'a> {
    /// A message as it came.
    ///
    /// # Errors
    /// When its payload is no text.
    pub fn new(topic: &'a str, payload: &'a [u8]) -> Result<Self, Failure> {
        let text = std::str::from_utf8(payload);
        let text = text.map_err(|_| Failure("expected text, found bytes that are not UTF-8".into()))?;
        Ok(Self { topic, text, json: OnceCell::new() })
    }

    /// The topic it came on.
    #[must_use]
    pub fn topic(&self) -> &'a str {
        self.topic
    }

    /// Its payload.
    #[must_use]
    pub fn text(&self) -> &'a str {
        self.text
    }

    fn json(&self) -> Result<&Document, &str> {
        let read = self.json.get_or_init(|| {
            let json: Json =
                serde_json::from_str(&without_endless_numbers(self.text)).map_err(|problem| problem.to_string())?;
            let without_nulls = has_null(&json).then(|| without_nulls(&json));
            Ok(Document { as_sent: Value::from(Serde(&json)), without_nulls })
        });
        read.as_ref().map_err(String::as_str)
    }
}

fn has_null(json: &Json) -> bool {
    match json {
        Json::Null => true,
        Json::Array(items) => items.iter().any(has_null),
        Json::Object(fields) => fields.values().any(has_null),
        _ => false,
    }
}

fn without_nulls(json: &Json) -> Value {
    match json {
        Json::Null => Value::UNDEFINED,
        // The others keep their numbers.
        Json::Array(items) => items.iter().map(without_nulls).collect::<Vec<_>>().into(),
        Json::Object(fields) => {
            let kept = fields.iter().filter(|(_, value)| !value.is_null());
            kept.map(|(name, value)| (name.clone(), without_nulls(value))).collect::<BTreeMap<_, _>>().into()
        }
        other => Value::from(Serde(other)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The text, `-` for nothing, `! …` for a failure.
    fn read(source: &str, payload: &str) -> String {
        let template = Template::new(source).unwrap_or_else(|error| panic!("{source}: {error}"));
        match template.read(&Message::new("zigbee2mqtt/Pool pump", payload.as_bytes()).unwrap()) {
            Ok(Yield::Text(text)) => text,
            Ok(Yield::Absent(_)) => "-".into(),
            Err(failure) => format!("! {failure}"),
        }
    }

    fn check(table: &[(&str, &str, &str)]) {
        for (source, payload, expect) in table {
            assert_eq!(read(source, payload), *expect, "{source} on {payload}");
        }
    }

    #[test]
    fn templates_of_home_assistant_read_what_devices_send() {
        check(&[
            ("{{ value }}", "-1077", "-1077"),
            ("{{ value | float }}", " 12 ", "12.0"),
            ("{{ value_json.ENERGY.Power }}", r#"{"ENERGY":{"Power":2635}}"#, "2635"),
            ("{{ value_json.ENERGY.Power[1] }}", r#"{"ENERGY":{"Power":[10,20]}}"#, "20"),
            ("{{ value_json['ENERGY']['Power'] | int }}", r#"{"ENERGY":{"Power":"32.9"}}"#, "32"),
            ("{{ value_json.params['pm1:0'].apower }}", r#"{"params":{"pm1:0":{"apower":27}}}"#, "27"),
            ("{{ value_json[\"V1\"] | round(2) }}", r#"{"V1":1.005}"#, "1.0"),
            ("{{ value_json.p | float * 1000 | round(0) }}", r#"{"p":"1.5"}"#, "1500.0"),
            ("{{ (value_json.p | float * 1000) | round(1, 'floor') }}", r#"{"p":0.12345}"#, "123.4"),
            ("{{value.split(';')[1]}}", "1;2;3", "2"),
            ("{{ topic.split('/')[1] | lower | replace(' ', '_') }}", "", "pool_pump"),
            ("{% if value_json.on == 1 -%} on {%- else -%} off {%- endif %}", r#"{"on":1}"#, "on"),
            ("{% set p = value_json.a + value_json.b %}{{ -p }}", r#"{"a":1,"b":2}"#, "-3"),
            ("{{ [value_json.a, 0] | max }}", r#"{"a":-5}"#, "0"),
            ("{{ max(value_json.a, 0) }} ", r#"{"a":7}"#, "7"),
            ("{{ value_json.emeters | sum(attribute='power') }}", r#"{"emeters":[{"power":1.5},{"power":2}]}"#, "3.5"),
            (
                "{{ value_json.list | map(attribute='p') | map('float') | sum }}",
                r#"{"list":[{"p":"1"},{"p":2}]}"#,
                "3.0",
            ),
            ("{{ iif(value_json.state == 'ON', 1, 0) }}", r#"{"state":"ON"}"#, "1"),
            ("{{ (value_json.a > 3) | iif('yes', 'no') }}", r#"{"a":1}"#, "no"),
            ("{{ value_json.ready }}", r#"{"ready":true}"#, "True"),
            ("{{ value_json.n | abs }}", r#"{"n":"-4.5"}"#, "4.5"),
            ("{{ (value | from_json).p }}", r#"{"p":9}"#, "9"),
            (
                "{{ value | regex_findall_index('1-0:1\\.7\\.0\\((\\d+\\.\\d+)\\*kW\\)') | float }}",
                "0-0:1(3)\n1-0:1.7.0(00.424*kW)",
                "0.424",
            ),
            ("{{ value | regex_replace('[^0-9.-]', '') }}", "-12.5 W", "-12.5"),
            ("{{ value is match('on', ignorecase=true) }}", "ON air", "True"),
            ("{{ value_json.get('p', 4) }}", "{}", "4"),
            ("{{ value_json.flags | bitwise_and(4) }}", r#"{"flags":6}"#, "4"),
            ("{{ value | int(base=16) }}", "0x1F", "31"),
            ("{{ value | multiply(1000) }}", "0.5", "500.0"),
        ]);
    }

    #[test]
    fn a_message_without_the_field_yields_nothing() {
        let notify = r#"{"params":{"ts":1661517432.85,"switch:0":{"id":0,"output":true}}}"#;
        check(&[
            ("{{ value_json.params['switch:0'].apower }}", notify, "-"),
            ("{{ value_json.params['switch:1'].apower }}", notify, "-"),
            ("{{ value_json.params['switch:0'].apower | float(0) }}", notify, "-"),
            ("{{ value_json.params['switch:0'].apower | is_defined }}", notify, "-"),
            ("{{ value_json.params['switch:0'].apower + 5 }}", notify, "-"),
            ("{{ 'ON' if value_json.params['switch:0'].apower > 5 else 'OFF' }}", notify, "-"),
            ("{% if value_json.apower is defined %}{{ value_json.apower }}{% endif %}", notify, "-"),
            ("{{ value_json.apower if value_json.apower is defined }}", notify, "-"),
            ("{{ value_json.power[2] }}", r#"{"power":[1,2]}"#, "-"),
            ("{{ value_json.power }}", "false", "-"),
            ("{{ value_json.power }}", "[]", "-"),
            ("{{ value | float }}", "unavailable", "-"),
            ("{{ value_json.power }}", "unavailable", "-"),
            ("{{ value_json.power }}", "", "-"),
            ("{{ value_json.power | int }}", r#"{"power":"unknown"}"#, "-"),
            ("{{ value | regex_findall_index('power=([0-9]+)') }}", "voltage=230", "-"),
            // Who says what stands in for it is obeyed, as in Home Assistant.
            ("{{ value_json.apower | default(0) }}", notify, "0"),
            ("{{ value_json.a.p if value_json.a else value_json.b.p }}", r#"{"b":{"p":3}}"#, "3"),
            ("{{ value | float(-1) }}", "unavailable", "-1"),
        ]);
    }

    #[test]
    fn null_is_not_zero() {
        let null = r#"{"value":null,"list":[null,4],"ok":3}"#;
        check(&[
            ("{{ value_json.value }}", null, "-"),
            ("{{ value_json.value + 1 }}", null, "-"),
            ("{{ -value_json.value }}", null, "-"),
            ("{{ value_json.value | float(0) }}", null, "-"),
            ("{{ value_json.value | default(0) }}", null, "-"),
            ("{{ value_json.value | round(1) }}", null, "-"),
            ("{{ [value_json.value, 0] | max }}", null, "-"),
            ("{{ value_json.value if value_json.value > 0 else 0 }}", null, "-"),
            ("{{ value_json.value * 1000 }}", r#"{"value": NaN}"#, "-"),
            ("{{ value_json }}", "null", "-"),
            ("{{ value_json.list[0] }}", null, "-"),
            ("{{ value_json.list[1] }}", null, "4"),
            ("{{ value_json.ok * 2 }}", null, "6"),
            ("{% if value_json.value is not none %}{{ value_json.value }}{% endif %}", null, "-"),
            ("{{ 0 if value_json.value is none else value_json.value }}", null, "0"),
            ("{{ value_json.value | default(0, true) }}", null, "0"),
        ]);
    }

    #[test]
    fn failures_say_what_is_wrong() {
        let long = format!("[{}1]", "1,".repeat(2000));
        let nested = "{% for a in value_json %}{% for b in value_json %}{{ a }}{% endfor %}{% endfor %}";
        let said = [
            read("{{ value_json.p }}", "off"),
            read("{{ value | float }}", "off"),
            read("{{ value_json.p + 1 }}", r#"{"p":"1"}"#),
            read("{{ range(100000) | list | length }}", ""),
            read("{{ 'a' * 100000000 }}", ""),
            read(nested, &long),
            read("{{ value_json }}", &long),
            number("off").unwrap_err().to_string(),
        ];
        insta::assert_snapshot!(said.join("\n"), @r#"
        ! the payload is not JSON: expected value at line 1 column 1
        ! invalid operation: expected a number, found the text "off"
        ! invalid operation: tried to use + operator on unsupported types string and number
        ! engine ran out of fuel
        ! engine ran out of fuel
        ! engine ran out of fuel
        ! the template yields 6003 bytes, at most 4096 are used
        expected a number, found "off"
        "#);
    }

    #[test]
    fn what_can_not_be_meant_is_refused_when_it_is_compiled() {
        let sources = [
            "{{ value_json.power",
            "{{ valeu_json.power }}",
            "{{ states('sensor.grid') | float }}",
            "{{ value | flaot }}",
            "value_json.power",
            &"{{".repeat(3000),
            "{% include 'x' %}",
        ];
        let said = sources.map(|source| Template::new(source).unwrap_err().to_string());
        insta::assert_snapshot!(said.join("\n"), @r#"
        expected a template such as "{{ value_json.power }}": syntax error: unexpected end of input, expected end of variable block
        `valeu_json` is unknown: expected one of value, value_json, topic
        `states` is unknown: expected one of value, value_json, topic
        there is no filter or test `flaot`
        "value_json.power" is plain text: expected a template such as "{{ value_json.power }}"
        the template has 6000 characters, at most 2000 are allowed
        expected a template such as "{{ value_json.power }}": syntax error: unknown statement include
        "#);
    }

    #[test]
    fn a_template_may_have_other_names() {
        let template = Template::over("{{ (value / 230) | round(0, 'floor') | int }}", &["value"]).unwrap();
        assert_eq!(template.fill(context! { value => 1400.0 }), Ok(Yield::Text("6".into())));
        assert!(Template::over("{{ topic }}", &["value"]).is_err());
    }

    proptest! {
        #[test]
        fn no_source_panics(source in ".{0,60}", braces in proptest::bool::ANY) {
            let source = if braces { format!("{{{{ {source} }}}}") } else { source };
            if let Ok(template) = Template::new(&source) {
                let _ = template.read(&Message::new("t", b"{\"a\":null}").unwrap());
            }
        }

        #[test]
        fn no_pieces_of_jinja_panic(pieces in proptest::collection::vec(prop::sample::select(vec![
            "{{", "}}", "{%", "%}", "{#", "#}", "value", "value_json", ".", "a", "[", "]", "(", ")", "|", "float", "round",
            "int", "max", "min", "regex_replace", "regex_findall_index", "iif", "default", "is", "not", "none", "defined",
            "'", "\"", "\\", "1", "-", "+", "*", "**", "//", "%", "~", ",", ":", "=", "==", "if", "else", "for", "in", "set",
            "endif", "endfor", " ", "é", "split", "1e308", "99999999999999999999", "range", "bool", "from_json",
        ]), 0..25)) {
            if let Ok(template) = Template::new(&pieces.concat()) {
                let _ = template.read(&Message::new("t/é", "{\"a\":[1,\"é\",null]}".as_bytes()).unwrap());
            }
        }

        #[test]
        fn no_payload_panics(payload in proptest::collection::vec(any::<u8>(), 0..100)) {
            let template = Template::new("{{ value_json.a[0].b | float(0) + value | int }}").unwrap();
            if let Ok(message) = Message::new("t", &payload) {
                let _ = template.read(&message);
            }
        }
    }
}
