//! Hashes of passwords, in the form of `mosquitto_passwd`: `$7$<iterations>$<salt>$<hash>`, PBKDF2 with SHA-512.
//!
//! So a line of a Mosquitto password file can be taken over as it is. Passwords themselves are never kept.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::pbkdf2::{self, PBKDF2_HMAC_SHA512};
use ring::rand::{SecureRandom as _, SystemRandom};

/// As many as a Raspberry Pi Zero does in some tenths of a second.
const ITERATIONS: u32 = 20_000;

/// More would let the configuration stall whoever logs in.
const MOST_ITERATIONS: u32 = 1_000_000;

const SALT: usize = 16;
const HASH: usize = 64;

/// A hashed password.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash {
    iterations: NonZeroU32,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

impl PasswordHash {
    /// Hashes a password with a salt of its own.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub fn of(password: &str) -> Result<Self, String> {
        let mut salt = vec![0; SALT];
        SystemRandom::new().fill(&mut salt).map_err(|_| "the system has no random numbers".to_owned())?;
        let iterations = NonZeroU32::new(ITERATIONS).unwrap_or(NonZeroU32::MIN);
        let mut hash = vec![0; HASH];
        pbkdf2::derive(PBKDF2_HMAC_SHA512, iterations, &salt, password.as_bytes(), &mut hash);
        Ok(Self { iterations, salt, hash })
    }

    /// Returns whether this is the password. Takes some tenths of a second on a small computer.
    #[must_use]
    pub fn is_of(&self, password: &[u8]) -> bool {
        pbkdf2::verify(PBKDF2_HMAC_SHA512, self.iterations, &self.salt, password, &self.hash).is_ok()
    }
}

/// The message says what was expected, and never quotes what was found: it may be a password.
impl FromStr for PasswordHash {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || {
            "expected a hash that begins with $7$, as `sunward hash-password` and mosquitto_passwd make it; a password \
             itself is not kept here"
                .to_owned()
        };
        let parts: Vec<&str> = text.split('$').collect();
        let ["", "7", iterations, salt, hash] = parts[..] else { return Err(expected()) };
        let iterations: NonZeroU32 = iterations.parse().map_err(|_| expected())?;
        if iterations.get() > MOST_ITERATIONS {
            return Err(format!("expected a hash of {MOST_ITERATIONS} iterations at most, found {iterations}"));
        }
        let salt = BASE64.decode(salt).map_err(|_| expected())?;
        let hash = BASE64.decode(hash).map_err(|_| expected())?;
        if hash.len() != HASH || salt.is_empty() || salt.len() > 64 {
            return Err(expected());
        }
        Ok(Self { iterations, salt, hash })
    }
}

impl fmt::Display for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "$7${}${}${}", self.iterations, BASE64.encode(&self.salt), BASE64.encode(&self.hash))
    }
}

/// Without the hash: it must not get into a log.
impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash")
    }
}

#[cfg(test)]
mod tests {
    use super::PasswordHash;

    #[test]
    fn a_hash_knows_its_password_and_no_other() {
        let hash: PasswordHash = PasswordHash::of("correct horse").unwrap().to_string().parse().unwrap();
        assert!(hash.is_of(b"correct horse"));
        assert!(!hash.is_of(b"correct horsf"));
        assert!(!hash.is_of(b""));
        assert_ne!(hash, PasswordHash::of("correct horse").unwrap(), "salted");
    }

    #[test]
    fn what_is_no_hash_is_refused_without_quoting_it() {
        let longest = format!("$7$4000000000$AAAA${}", "A".repeat(88));
        for text in ["", "secret", "$7$", "$7$0$AAAA$AAAA", "$6$AAAA$AAAA", "$7$101$AAAA$AAAA", "$7$x$y$z", &longest] {
            let error = text.parse::<PasswordHash>().unwrap_err();
            assert!(error.contains("expected a hash"), "{error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
