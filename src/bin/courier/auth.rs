//! Bearer tokens as Docker registries and Notary servers ask for them.
//!
//! Annex: pure, but for reading `NOTARY_AUTH` from the environment, as `notary` does.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use data_encoding::BASE64;
use reqwest::Url;
use serde::Deserialize;

/// What `WWW-Authenticate: Bearer …` asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Challenge {
    realm: String,
    service: String,
    scope: String,
}

impl Challenge {
    /// Reads the header.
    pub(crate) fn parse(header: &str) -> Option<Self> {
        let (kind, mut rest) = header.split_once(' ')?;
        if !kind.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let mut fields = BTreeMap::new();
        while let Some((name, tail)) = rest.split_once("=\"") {
            let (value, tail) = tail.split_once('"')?;
            fields.insert(name.trim_matches([',', ' ']).to_ascii_lowercase(), value.to_owned());
            rest = tail;
        }
        Some(Self {
            realm: fields.remove("realm")?,
            service: fields.remove("service").unwrap_or_default(),
            scope: fields.remove("scope").unwrap_or_default(),
        })
    }

    /// Where the token is asked for.
    pub(crate) fn url(&self) -> Option<Url> {
        let mut url = Url::parse(&self.realm).ok()?;
        let mut query = url.query_pairs_mut();
        query.append_pair("service", &self.service);
        // Several scopes stand in one field, between blanks.
        for scope in self.scope.split(' ').filter(|scope| !scope.is_empty()) {
            query.append_pair("scope", scope);
        }
        drop(query);
        Some(url)
    }

    /// The token in the answer.
    pub(crate) fn token(answer: &[u8]) -> Option<String> {
        let answer: Answer = serde_json::from_slice(answer).ok()?;
        answer.token.or(answer.access_token).filter(|token| !token.is_empty())
    }
}

/// The tokens that were given so far, by what they were asked for.
#[derive(Default)]
pub(crate) struct Tokens(Mutex<BTreeMap<String, String>>);

impl Tokens {
    /// The token for the same question.
    pub(crate) fn known(&self, question: &str) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(question).cloned()
    }

    /// Keeps a token.
    pub(crate) fn keep(&self, question: String, token: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(question, token);
    }

    /// User and password from `NOTARY_AUTH`.
    pub(crate) fn credentials() -> Option<(String, String)> {
        credentials(&std::env::var("NOTARY_AUTH").ok()?)
    }
}

fn credentials(base64: &str) -> Option<(String, String)> {
    let text = String::from_utf8(BASE64.decode(base64.trim().as_bytes()).ok()?).ok()?;
    let (user, password) = text.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

#[derive(Deserialize)]
struct Answer {
    token: Option<String>,
    access_token: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_of_a_notary_server_is_read() {
        let header = r#"Bearer realm="https://auth.test/token",service="trust",scope="repository:localhost:5000/x:push,pull""#;
        let challenge = Challenge::parse(header).unwrap();
        assert_eq!(
            challenge.url().unwrap().as_str(),
            "https://auth.test/token?service=trust&scope=repository%3Alocalhost%3A5000%2Fx%3Apush%2Cpull"
        );
        assert_eq!(Challenge::parse("Basic realm=\"x\""), None);
        assert_eq!(Challenge::parse("Bearer service=\"x\""), None);
        assert_eq!(Challenge::parse("Bearer realm=\"x"), None);
    }

    #[test]
    fn tokens_come_under_either_name() {
        assert_eq!(Challenge::token(br#"{"token":"a","expires_in":60}"#), Some("a".to_owned()));
        assert_eq!(Challenge::token(br#"{"access_token":"b"}"#), Some("b".to_owned()));
        assert_eq!(Challenge::token(br#"{"token":""}"#), None);
        assert_eq!(Challenge::token(b"no"), None);
    }

    #[test]
    fn credentials_are_base64_of_user_and_password() {
        let pair = Some(("me".to_owned(), "pass:word".to_owned()));
        assert_eq!(credentials("bWU6cGFzczp3b3Jk"), pair);
        assert_eq!(credentials("me:password"), None);
    }
}
