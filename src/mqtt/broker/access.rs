//! Who may say and hear what: the accounts of the embedded broker.
//!
//! The roles are those of the accounts in `mosquitto/acl`; a task only ever reaches its own branch. Sunward itself has an
//! account that is made up anew at each start and reaches everything.

use std::collections::BTreeMap;
use std::sync::Arc;

use mqtt5_protocol::topic_matches_filter;
use ring::rand::{SecureRandom as _, SystemRandom};

use crate::mqtt::password::PasswordHash;

/// What an account is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A task, whose id is the name of the account: registers it, hears its commands.
    Task,
    /// Writes power records.
    Meter,
    /// Reads everything of Sunward.
    See,
    /// And gives its commands: pause, modes, priorities. Home Assistant's role.
    Steer,
    /// Everything, also what is not Sunward's.
    Admin,
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its password.
    pub password: PasswordHash,
    /// What it is for.
    pub role: Role,
    /// Topic filters that it may read besides.
    pub read: Vec<String>,
    /// Topic filters that it may write besides.
    pub write: Vec<String>,
}

/// All accounts. Without any, everybody may do everything.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// By name.
    pub users: BTreeMap<String, Account>,
    /// What Sunward's topics begin with.
    pub base_topic: String,
    /// What Home Assistant's topics begin with.
    pub discovery_prefix: String,
    /// Topics of power records.
    pub power: Vec<String>,
}

/// The account of Sunward itself.
#[derive(Clone)]
pub(super) struct Own {
    pub(super) name: String,
    pub(super) password: String,
}

/// Without the password.
impl std::fmt::Debug for Own {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)
    }
}

impl Own {
    /// Makes a password up.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub(super) fn make_up() -> Result<Self, String> {
        let mut bytes = [0; 24];
        SystemRandom::new().fill(&mut bytes).map_err(|_| "the system has no random numbers".to_owned())?;
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        Ok(Self { name: format!("sunward itself {}", hex(&bytes[..4])), password: hex(&bytes[4..]) })
    }

    /// Returns what Sunward itself may do, if it is that.
    pub(super) fn permissions(&self, name: Option<&str>, password: Option<&[u8]>) -> Option<Permissions> {
        let is_own =
            name == Some(self.name.as_str()) && !self.password.is_empty() && password == Some(self.password.as_bytes());
        let user = self.name.clone();
        is_own.then(|| Permissions { user, own: true, everything: true, ..Permissions::default() })
    }
}

/// What one account may do.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Permissions {
    /// Of the account; empty where there are none.
    pub(super) user: String,
    /// Sunward itself.
    pub(super) own: bool,
    everything: bool,
    read: Vec<String>,
    write: Vec<String>,
}

impl Permissions {
    pub(super) fn may_write(&self, topic: &str) -> bool {
        self.everything || self.write.iter().any(|filter| topic_matches_filter(topic, filter))
    }

    pub(super) fn may_read(&self, topic: &str) -> bool {
        self.everything || self.read.iter().any(|filter| topic_matches_filter(topic, filter))
    }

    /// Returns whether anything that matches this filter may be read.
    pub(super) fn may_subscribe(&self, filter: &str) -> bool {
        self.everything || self.read.iter().any(|allowed| overlap(allowed, filter))
    }
}

impl Access {
    /// Returns what the account of this name may do; its password was right.
    pub(super) fn of(&self, name: &str, account: &Account) -> Permissions {
        let (mut read, mut write) = (account.read.clone(), account.write.clone());
        let base = &self.base_topic;
        let discovery = &self.discovery_prefix;
        match account.role {
            Role::Task => {
                for leaf in ["config", "state", "availability"] {
                    write.push(format!("{base}/task/{name}/{leaf}"));
                }
                for leaf in ["set", "setpoint", "mode", "report"] {
                    read.push(format!("{base}/task/{name}/{leaf}"));
                }
                read.push(format!("{base}/scheduler/state"));
                read.push(format!("{base}/scheduler/availability"));
            }
            Role::Meter => write.extend(self.power.iter().cloned()),
            Role::See => read.push(format!("{base}/#")),
            Role::Steer => {
                read.extend([
                    format!("{base}/#"),
                    format!("{discovery}/device/+/config"),
                    format!("{discovery}/status"),
                ]);
                for leaf in ["scheduler/set", "task/+/mode/set", "task/+/priority/set"] {
                    write.push(format!("{base}/{leaf}"));
                }
                write.extend([format!("{discovery}/device/+/config"), format!("{discovery}/status")]);
            }
            Role::Admin => {}
        }
        Permissions { user: name.to_owned(), own: false, everything: account.role == Role::Admin, read, write }
    }

    /// Returns what everybody may do where there are no accounts.
    pub(super) fn of_anybody() -> Arc<Permissions> {
        Arc::new(Permissions { everything: true, ..Permissions::default() })
    }
}

/// Whether there is a topic that matches both filters.
fn overlap(one: &str, other: &str) -> bool {
    let (mut one, mut other) = (one.split('/'), other.split('/'));
    loop {
        match (one.next(), other.next()) {
            (None, None) | (Some("#"), _) | (_, Some("#")) => return true,
            (None, _) | (_, None) => return false,
            (Some("+"), _) | (_, Some("+")) => {}
            (Some(one), Some(other)) if one == other => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Access, Account, Permissions, Role, overlap};
    use crate::mqtt::password::PasswordHash;

    fn of(role: Role) -> Permissions {
        let access = Access { base_topic: "sunward".into(), discovery_prefix: "ha".into(), ..Access::default() };
        let password = PasswordHash::of("x").unwrap();
        access.of("plug", &Account { password, role, read: vec!["cmnd/plug/#".into()], write: vec![] })
    }

    #[test]
    fn a_task_reaches_its_own_branch_only() {
        let task = of(Role::Task);
        for mine in ["config", "state", "availability"] {
            assert!(task.may_write(&format!("sunward/task/plug/{mine}")));
            assert!(!task.may_write(&format!("sunward/task/other/{mine}")));
        }
        for never in ["set", "setpoint", "mode", "mode/set", "priority/set", "report", "config/x", ""] {
            assert!(!task.may_write(&format!("sunward/task/plug/{never}")), "{never}");
        }
        assert!(!task.may_write("sunward/power") && !task.may_write("sunward/scheduler/set") && !task.may_write("x"));
        assert!(task.may_read("sunward/task/plug/set") && task.may_read("cmnd/plug/power"));
        assert!(!task.may_read("sunward/task/other/set") && !task.may_read("sunward/power"));
        assert!(task.may_subscribe("sunward/task/plug/#") && task.may_subscribe("#"));
        assert!(!task.may_subscribe("sunward/task/other/#") && !task.may_subscribe("sunward/power"));
    }

    #[test]
    fn who_steers_commands_sunward_and_no_appliance() {
        let steer = of(Role::Steer);
        assert!(steer.may_write("sunward/scheduler/set") && steer.may_write("sunward/task/a/mode/set"));
        assert!(!steer.may_write("sunward/task/a/set") && !steer.may_write("sunward/task/plug/state"));
        assert!(steer.may_read("sunward/task/a/report") && !steer.may_read("zigbee2mqtt/x"));
        assert!(of(Role::See).may_read("sunward/power") && !of(Role::See).may_write("sunward/scheduler/set"));
        assert!(of(Role::Admin).may_write("anything") && of(Role::Admin).may_read("anything"));
    }

    #[test]
    fn filters_overlap_where_a_topic_matches_both() {
        for (one, other) in [("a/#", "a"), ("a/+", "+/b"), ("#", "x/y"), ("a/b", "a/b"), ("a/+/c", "a/#")] {
            assert!(overlap(one, other) && overlap(other, one), "{one} {other}");
        }
        for (one, other) in [("a/b", "a/c"), ("a/+", "a"), ("a/+/c", "a/b/d"), ("a", "b/#")] {
            assert!(!overlap(one, other) && !overlap(other, one), "{one} {other}");
        }
    }
}
