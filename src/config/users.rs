//! Accounts: a name, the hash of a password, and what it is for.

use serde::{Deserialize, Serialize};

use super::findings::Findings;
use crate::mqtt::PasswordHash;
use crate::wire::topic::check_filter;

/// What an account is for, in the words of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UserRole {
    /// A task, whose id is the name of the account.
    #[default]
    Task,
    /// Writes power records.
    Meter,
    /// Reads everything of Sunward.
    See,
    /// Reads everything of Sunward, and gives its commands.
    Steer,
    /// Everything.
    Admin,
}

/// `[broker.users.NAME]`: an account.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct User {
    /// The hash of its password, as `sunward hash-password` and `mosquitto_passwd` make it.
    pub password: String,
    /// What it is for.
    pub role: UserRole,
    /// Topic filters that it may read besides.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub read: Vec<String>,
    /// Topic filters that it may write besides.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub write: Vec<String>,
}

/// Characters of the longest name.
const LONGEST_NAME: usize = 64;

impl User {
    pub(super) fn check(&self, name: &str, table: &str, found: &mut Findings) {
        let usual = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if name.is_empty() || name.len() > LONGEST_NAME || !name.chars().all(usual) {
            let expected =
                format!("expected a name of letters, digits, _ and -, at most {LONGEST_NAME}, found {name:?}");
            found.refuse(table, expected);
        }
        found.expect(&format!("{table}.password"), self.password.parse::<PasswordHash>());
        for (key, filters) in [("read", &self.read), ("write", &self.write)] {
            for filter in filters {
                found.expect(&format!("{table}.{key}"), check_filter(filter));
            }
        }
    }
}
