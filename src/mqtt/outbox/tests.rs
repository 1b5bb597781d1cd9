//! What waits, what is sent again, and what is not.

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn drain(outbox: &mut Outbox, now: Instant) -> Vec<String> {
    std::iter::from_fn(|| outbox.hand_over(now, true))
        .map(|sent| format!("{}={}", sent.topic, String::from_utf8_lossy(&sent.payload)))
        .collect()
}

#[test]
fn only_the_latest_value_of_a_retained_topic_waits() {
    let (mut outbox, now) = (Outbox::default(), Instant::now());
    for message in [Outgoing::state("a", "1"), Outgoing::state("b", "1"), Outgoing::state("a", "2")] {
        outbox.put(message, now).unwrap();
    }
    outbox.put(Outgoing::clear("b"), now).unwrap();
    assert_eq!(drain(&mut outbox, now), ["a=2", "b="]);
}

#[test]
fn commands_keep_their_order_and_are_all_sent() {
    let (mut outbox, now) = (Outbox::default(), Instant::now());
    for payload in ["stop", "start", "stop"] {
        outbox.put(Outgoing::command("set", payload, SECOND), now).unwrap();
    }
    assert_eq!(drain(&mut outbox, now), ["set=stop", "set=start", "set=stop"]);
}

#[test]
fn what_was_not_acknowledged_is_sent_again_and_a_newer_value_wins() {
    let (mut outbox, now) = (Outbox::default(), Instant::now());
    for topic in ["a", "b", "c"] {
        outbox.put(Outgoing::state(topic, "old"), now).unwrap();
    }
    drain(&mut outbox, now);
    outbox.sent(1);
    outbox.sent(2);
    assert_eq!(outbox.acknowledged(1), Some(Outgoing::state("a", "old")));
    outbox.put(Outgoing::state("b", "new"), now).unwrap();
    outbox.connection_lost(now);
    assert_eq!(drain(&mut outbox, now), ["c=old", "b=new"]);
    assert_eq!(outbox.bytes, "c=old".len() - 1 + "b=new".len() - 1);
}

#[test]
fn a_command_that_expired_meanwhile_is_never_sent() {
    let (mut outbox, now) = (Outbox::default(), Instant::now());
    outbox.put(Outgoing::command("flying", "start", SECOND), now).unwrap();
    drain(&mut outbox, now);
    outbox.put(Outgoing::command("waiting", "start", SECOND), now).unwrap();
    outbox.put(Outgoing::command("patient", "start", 9 * SECOND), now).unwrap();
    outbox.connection_lost(now + SECOND);
    assert_eq!(drain(&mut outbox, now + SECOND), ["patient=start"]);
    assert_eq!(outbox.take_expired(), 2);
}

#[test]
fn of_commands_for_one_addressee_only_the_latest_waits() {
    let (mut outbox, now) = (Outbox::default(), Instant::now());
    let command = |topic: &str, payload: &str| Outgoing::command(topic, payload, 9 * SECOND);
    for (addressee, topic, payload) in
        [("a", "strip", "a off"), ("b", "strip", "b off"), ("a", "strip", "a on"), ("a", "other", "a off")]
    {
        outbox.put(command(topic, payload).addressed_to(addressee), now).unwrap();
    }
    outbox.put(command("strip", "of nobody"), now).unwrap();
    outbox.put(command("strip", "of nobody"), now).unwrap();
    assert_eq!(drain(&mut outbox, now), ["strip=b off", "other=a off", "strip=of nobody", "strip=of nobody"]);
    // What flies is not called back, but it doesn't come again behind a newer one.
    outbox.put(command("strip", "b on").addressed_to("b"), now).unwrap();
    outbox.connection_lost(now);
    assert_eq!(drain(&mut outbox, now), ["other=a off", "strip=of nobody", "strip=of nobody", "strip=b on"]);
    outbox.connection_lost(now + 10 * SECOND);
    assert!(outbox.is_empty() && outbox.bytes == 0 && outbox.commands.is_empty(), "{outbox:?}");
}

#[test]
fn a_command_waits_until_the_broker_lives_and_not_longer_than_ten_seconds() {
    let (mut outbox, now) = (Outbox::default(), Instant::now());
    outbox.put(Outgoing::state("before", "1"), now).unwrap();
    outbox.put(Outgoing::command("set", "stop", 60 * SECOND), now).unwrap();
    outbox.put(Outgoing::state("behind", "1"), now).unwrap();
    let topic = |sent: Option<Dispatch>| sent.map(|sent| sent.topic);
    assert_eq!(topic(outbox.hand_over(now, false)).as_deref(), Some("before"));
    assert!(outbox.has_command_next());
    assert_eq!(topic(outbox.hand_over(now + 9 * SECOND, false)), None);
    assert_eq!(outbox.hand_over(now + 9 * SECOND, true).unwrap().expiry, Some(51 * SECOND));
    outbox.connection_lost(now + 9 * SECOND);
    assert_eq!(topic(outbox.hand_over(now + 9 * SECOND, false)).as_deref(), Some("before"));
    assert_eq!(topic(outbox.hand_over(now + 10 * SECOND, false)).as_deref(), Some("behind"));
}

#[test]
fn the_remaining_time_of_a_command_is_what_the_broker_is_told() {
    let (mut outbox, now) = (Outbox::default(), Instant::now());
    outbox.put(Outgoing::command("set", "start", 9 * SECOND), now).unwrap();
    assert_eq!(outbox.hand_over(now + 4 * SECOND, true).unwrap().expiry, Some(5 * SECOND));
}

#[test]
fn no_more_than_the_window_is_unconfirmed() {
    let (mut outbox, now) = (Outbox::default(), Instant::now());
    for n in 0..100 {
        outbox.put(Outgoing::event(format!("t/{n}"), "x"), now).unwrap();
    }
    assert_eq!(drain(&mut outbox, now).len(), WINDOW);
    outbox.sent(7);
    assert_eq!(drain(&mut outbox, now).len(), 0);
    outbox.acknowledged(7);
    assert_eq!(drain(&mut outbox, now), ["t/64=x"]);
}

#[test]
fn it_is_full_rather_than_endless_and_takes_newer_values_even_then() {
    let (mut outbox, now) = (Outbox::default(), Instant::now());
    for n in 0..MAX_MESSAGES {
        outbox.put(Outgoing::state(format!("t/{n}"), "x"), now).unwrap();
    }
    assert_eq!(outbox.put(Outgoing::state("one more", "x"), now), Err(Full));
    assert_eq!(outbox.put(Outgoing::state("t/7", "newer"), now), Ok(()));
    outbox.put_last(Outgoing::state("availability", "offline"), now);
    assert_eq!(outbox.waiting.len(), MAX_MESSAGES + 1);
    let huge = vec![0; MAX_BYTES];
    assert_eq!(Outbox::default().put(Outgoing::event("t", huge), now), Err(Full));
}
