//! Templates on messages, as tables.

use minijinja::context;
use proptest::prelude::*;

use super::*;

/// The text, `-` for nothing, `! …` for a failure.
fn read(source: &str, payload: &str) -> String {
    let template = Template::new(source).unwrap_or_else(|error| panic!("{source}: {error}"));
    match template.read(&DeviceMessage::new("zigbee2mqtt/Pool pump", payload.as_bytes()).unwrap()) {
        Ok(Rendered::Text(text)) => text,
        Ok(Rendered::Absent(_)) => "-".into(),
        Err(failure) => format!("! {failure}"),
    }
}

fn check(table: &[(&str, &str, &str)]) {
    for (source, payload, expect) in table {
        assert_eq!(read(source, payload), *expect, "{source} on {payload}");
    }
}

#[test]
fn a_message_that_no_template_could_read_is_refused_before_it_is_read() {
    let refusal = |size: usize| DeviceMessage::new("t", &vec![b' '; size]).err().map(|failure| failure.to_string());
    assert_eq!(refusal(262_144), None);
    assert_eq!(refusal(262_145).as_deref(), Some("262145 bytes, at most 262144 are allowed"));
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
        ("{{ value_json.list | map(attribute='p') | map('float') | sum }}", r#"{"list":[{"p":"1"},{"p":2}]}"#, "3.0"),
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
        ("{{ value_json.list.0 }}", r#"{"list":[4,5]}"#, "4"),
        ("{{ value[:-2] | float }}", "12.5 W", "12.5"),
        ("{{ value.strip('W ') | float(default=0) }}", "12.5 W", "12.5"),
        ("{{ value | replace('W', '') | trim | int(0) }}", "12 W", "12"),
        ("{{ '%.1f' | format(value | float) }}", "3.14159", "3.1"),
        ("{{ value_json.p | float if value_json.p is not none }}", r#"{"p":"7"}"#, "7.0"),
        (
            "{% set ns = namespace(p=0) %}{% for m in value_json %}{% set ns.p = ns.p + m.p %}{% endfor %}{{ ns.p }}",
            r#"[{"p":1},{"p":2}]"#,
            "3",
        ),
        ("{{ value_json.values() | sum }}", r#"{"a":1,"b":2}"#, "3"),
        (
            "{{ value_json | selectattr('id', 'eq', 2) | map(attribute='w') | first }}",
            r#"[{"id":1,"w":5},{"id":2,"w":6}]"#,
            "6",
        ),
        ("{{ (value | int // 10) ** 2 }}", "35", "9"),
        ("{{ value | round(-1, 'ceil') | int }}", "31", "40"),
        ("{{ 'on' if value in ['1', 'on'] else 'off' }}", "1", "on"),
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
    ! `range`: expected a value of at most 256 KiB
    ! `*`: expected a value of at most 256 KiB
    ! takes more than 40000 steps: a loop too many, or long texts or lists?
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
    assert_eq!(template.fill(context! { value => 1400.0 }), Ok(Rendered::Text("6".into())));
    assert!(Template::over("{{ topic }}", &["value"]).is_err());
}

proptest! {
    #[test]
    fn no_source_panics(source in ".{0,60}", braces in proptest::bool::ANY) {
        let source = if braces { format!("{{{{ {source} }}}}") } else { source };
        if let Ok(template) = Template::new(&source) {
            let _ = template.read(&DeviceMessage::new("t", b"{\"a\":null}").unwrap());
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
            let _ = template.read(&DeviceMessage::new("t/é", "{\"a\":[1,\"é\",null]}".as_bytes()).unwrap());
        }
    }

    #[test]
    fn no_payload_panics(payload in proptest::collection::vec(any::<u8>(), 0..100)) {
        let template = Template::new("{{ value_json.a[0].b | float(0) + value | int }}").unwrap();
        if let Ok(message) = DeviceMessage::new("t", &payload) {
            let _ = template.read(&message);
        }
    }
}
