//! What servers ask before they answer: Basic credentials, or bearer tokens as Docker registries and Notary servers
//! have them.
//!
//! Annex; pure.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use reqwest::Url;
use serde::Deserialize;

use super::credentials::Credentials;

/// What a request wants to do, as token servers tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Action {
    /// Read.
    Pull,
    /// Write; the keys that a Notary server makes want it too.
    Push,
}

impl Action {
    /// The word.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Push => "push",
        }
    }
}

/// One challenge of `WWW-Authenticate`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Challenge {
    /// User and password, at the server itself.
    Basic,
    /// A token of another place.
    Bearer(Bearer),
}

/// What `Bearer …` asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bearer {
    realm: String,
    service: String,
    scope: String,
}

impl Challenge {
    /// Reads one header: challenges between commas, each with fields between commas (RFC 9110 11.6.1). Challenges of
    /// other kinds are passed over.
    pub(crate) fn all(header: &str) -> Vec<Self> {
        let mut found: Vec<(String, BTreeMap<String, String>)> = Vec::new();
        for item in items(header) {
            let end = item.find(|c: char| c.is_whitespace() || c == '=');
            let (kind, field) = match end {
                Some(end) if item[end..].trim_start().starts_with('=') => (None, item),
                Some(end) => (Some(&item[..end]), &item[end..]),
                None => (Some(item), ""),
            };
            found.extend(kind.map(|kind| (kind.to_ascii_lowercase(), BTreeMap::new())));
            if let (Some((name, value)), Some((_, fields))) =
                (field.trim().split_once('='), found.last_mut())
            {
                fields.insert(name.trim().to_ascii_lowercase(), unquoted(value.trim()));
            }
        }
        found.into_iter().filter_map(|(kind, fields)| Self::of(&kind, fields)).collect()
    }

    fn of(kind: &str, mut fields: BTreeMap<String, String>) -> Option<Self> {
        match kind {
            "basic" => Some(Self::Basic),
            "bearer" => Some(Self::Bearer(Bearer {
                realm: fields.remove("realm")?,
                service: fields.remove("service").unwrap_or_default(),
                scope: fields.remove("scope").unwrap_or_default(),
            })),
            _ => None,
        }
    }
}

/// Splits at commas outside quotes.
fn items(header: &str) -> Vec<&str> {
    let (mut quoted, mut escaped, mut start, mut items) = (false, false, 0, Vec::new());
    for (at, c) in header.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ',' if !quoted => {
                items.push(header[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    items.push(header[start..].trim());
    items.retain(|item| !item.is_empty());
    items
}

fn unquoted(value: &str) -> String {
    let Some(inner) = value.strip_prefix('"') else { return value.to_owned() };
    let mut text = String::new();
    let mut rest = inner.chars();
    while let Some(c) = rest.next().filter(|c| *c != '"') {
        text.extend(if c == '\\' { rest.next() } else { Some(c) });
    }
    text
}

impl Bearer {
    /// The same question, for what wants to write: before an upload nobody has asked for it.
    pub(crate) fn pushing(&self) -> Self {
        let scopes = self.scope.split(' ').map(|scope| match scope.strip_suffix(":pull") {
            Some(repository) => format!("{repository}:pull,push"),
            None => scope.to_owned(),
        });
        Self { scope: scopes.collect::<Vec<_>>().join(" "), ..self.clone() }
    }

    /// The token server.
    pub(crate) fn realm(&self) -> Option<Url> {
        Url::parse(&self.realm).ok()
    }

    /// Where the token is asked for.
    pub(crate) fn question(&self, realm: &Url) -> Url {
        let mut url = realm.clone();
        let mut query = url.query_pairs_mut();
        query.append_pair("service", &self.service);
        // Several scopes stand in one field, between blanks.
        for scope in self.scope.split(' ').filter(|scope| !scope.is_empty()) {
            query.append_pair("scope", scope);
        }
        drop(query);
        url
    }

    /// The form by which a token server exchanges an identity token (OAuth 2.0, RFC 6749 section 6).
    pub(crate) fn exchange(&self, identity: &str) -> String {
        let fields = [
            ("grant_type", "refresh_token"),
            ("service", &self.service),
            ("scope", &self.scope),
            ("client_id", "officiant-courier"),
            ("refresh_token", identity),
        ];
        let form = Url::parse_with_params("form:", fields);
        form.ok().and_then(|form| form.query().map(str::to_owned)).unwrap_or_default()
    }

    /// The token in the answer.
    pub(crate) fn token(answer: &[u8]) -> Option<String> {
        let answer: Answer = serde_json::from_slice(answer).ok()?;
        answer.token.or(answer.access_token).filter(|token| !token.is_empty())
    }
}

/// What goes with a request.
#[derive(Clone)]
pub(crate) enum Login {
    /// User and password themselves.
    Basic(Arc<Credentials>),
    /// A token.
    Bearer(String),
}

/// What was asked and given so far, by place and action: a repository has one token for all its files.
#[derive(Default)]
pub(crate) struct Logins(Mutex<BTreeMap<(String, Action), (Challenge, Login)>>);

impl Logins {
    /// What was given for this place.
    pub(crate) fn known(&self, place: &str, action: Action) -> Option<(Challenge, Login)> {
        let logins = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        logins.get(&(place.to_owned(), action)).cloned()
    }

    /// Keeps what was given.
    pub(crate) fn keep(&self, place: &str, action: Action, given: (Challenge, Login)) {
        let mut logins = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        logins.insert((place.to_owned(), action), given);
    }
}

#[derive(Deserialize)]
struct Answer {
    token: Option<String>,
    access_token: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(realm: &str, service: &str, scope: &str) -> Challenge {
        let [realm, service, scope] = [realm, service, scope].map(str::to_owned);
        Challenge::Bearer(Bearer { realm, service, scope })
    }

    #[test]
    fn the_header_of_a_notary_server_is_read() {
        let header = r#"Bearer realm="https://auth.test/token",service="trust",scope="repository:localhost:5000/x:push,pull""#;
        let [Challenge::Bearer(bearer)] = &Challenge::all(header)[..] else { panic!() };
        assert_eq!(
            bearer.question(&bearer.realm().unwrap()).as_str(),
            "https://auth.test/token?service=trust&scope=repository%3Alocalhost%3A5000%2Fx%3Apush%2Cpull"
        );
    }

    #[test]
    fn every_challenge_of_a_header_is_read_whatever_stands_around_it() {
        let scope = "repository:x:pull";
        for (header, expected) in [
            ("Basic realm=\"a, Bearer realm=b\"", vec![Challenge::Basic]),
            ("basic", vec![Challenge::Basic]),
            ("Negotiate, BASIC realm=x", vec![Challenge::Basic]),
            (
                "Basic realm=\"x\", Bearer realm=\"r\" , Service = s, scope=\"repository:x:pull\"",
                vec![Challenge::Basic, bearer("r", "s", scope)],
            ),
            (
                "Bearer realm=\"a\\\"b,\", Digest nonce=\"n\"",
                vec![Challenge::Bearer(Bearer {
                    realm: "a\"b,".to_owned(),
                    service: String::new(),
                    scope: String::new(),
                })],
            ),
            ("Bearer service=\"x\"", vec![]),
            ("realm=\"x\", =, \"", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(Challenge::all(header), expected, "{header}");
        }
    }

    #[test]
    fn a_token_to_read_becomes_one_to_write_for_the_same_repository() {
        let Challenge::Bearer(pull) = bearer("r", "s", "repository:localhost:5000/x:pull") else {
            panic!()
        };
        assert_eq!(
            Challenge::Bearer(pull.pushing()),
            bearer("r", "s", "repository:localhost:5000/x:pull,push")
        );
        assert_eq!(pull.pushing().pushing(), pull.pushing());
    }

    #[test]
    fn an_identity_token_is_exchanged_by_a_form() {
        let Challenge::Bearer(bearer) = bearer("r", "s", "repository:x/y:pull") else { panic!() };
        assert_eq!(
            bearer.exchange("a&b"),
            "grant_type=refresh_token&service=s&scope=repository%3Ax%2Fy%3Apull&client_id=officiant-courier&refresh_token=a%26b"
        );
    }

    #[test]
    fn tokens_come_under_either_name() {
        assert_eq!(Bearer::token(br#"{"token":"a","expires_in":60}"#), Some("a".to_owned()));
        assert_eq!(Bearer::token(br#"{"access_token":"b"}"#), Some("b".to_owned()));
        assert_eq!(Bearer::token(br#"{"token":""}"#), None);
        assert_eq!(Bearer::token(b"no"), None);
    }
}
