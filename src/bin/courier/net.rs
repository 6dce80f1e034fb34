//! HTTP with bounds: every answer has a largest size and a longest time, only GET is tried again, and no cache on the
//! way may answer. A server that is being started again is waited for where the command line says so.
//!
//! Annex: the network. https anywhere, http on this machine alone and past every proxy; no redirects. Credentials go to
//! the server that is asked, and to a token server on the same host, or on the one that the command line names.

mod client;
mod error;
mod patience;

use std::net::IpAddr;
use std::path::Path;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use reqwest::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use reqwest::multipart::Form;
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, Url};

use super::args;
use super::auth::{Action, Bearer, Challenge, Login, Logins};
use super::credentials::{Credentials, Keyring};
use super::environment::Environment;
use client::Maker;
use patience::Patience;

pub(crate) use error::Error;

/// A client of one server.
pub(crate) struct Net {
    maker: Maker,
    /// For servers elsewhere, through the proxy of the environment if there is one.
    there: OnceLock<Client>,
    /// For this machine: no proxy reaches it.
    here: OnceLock<Client>,
    keyring: Keyring,
    /// The registry that is asked; none for a trust server, whose repositories name theirs.
    registry: Option<String>,
    token_host: Option<String>,
    logins: Logins,
    patience: Patience,
}

impl Net {
    /// Makes a client of a trust server as the command line says: with its authorities, or else the system's.
    ///
    /// # Errors
    /// [`Error::Authority`], [`Error::Credentials`], [`Error::Identity`].
    pub(crate) fn new(args: &args::Network) -> Result<Self, Error> {
        let keyring = Keyring::of_trust_servers(&Environment::read())?;
        Self::with(args, None, keyring, None)
    }

    /// Makes a client of a registry; `folder` is where docker keeps what is for its TLS.
    ///
    /// # Errors
    /// [`Error::Authority`], [`Error::Identity`].
    pub(crate) fn of_registry(
        args: &args::Network,
        environment: &Environment,
        registry: &str,
        folder: Option<&Path>,
    ) -> Result<Self, Error> {
        Self::with(args, folder, Keyring::of_registries(environment), Some(registry.to_owned()))
    }

    fn with(
        args: &args::Network,
        folder: Option<&Path>,
        keyring: Keyring,
        registry: Option<String>,
    ) -> Result<Self, Error> {
        Ok(Self {
            maker: Maker::new(args, folder)?,
            there: OnceLock::new(),
            here: OnceLock::new(),
            keyring,
            registry,
            token_host: args.token_host.clone(),
            logins: Logins::default(),
            patience: Patience::of(Duration::ZERO),
        })
    }

    /// The same, which waits for a server that has answered and then gives no answer.
    pub(crate) fn patient(self, longest: Duration) -> Self {
        Self { patience: Patience::of(longest), ..self }
    }

    /// Fetches at most `most` bytes; none when the server answers that there is nothing (404).
    ///
    /// # Errors
    /// [`Error`], after three attempts where another attempt may help.
    pub(crate) async fn get(
        &self,
        action: Action,
        url: &Url,
        most: usize,
    ) -> Result<Option<Vec<u8>>, Error> {
        self.get_as(action, url, "*/*", most).await
    }

    /// Fetches the same as one of the media types in `accept`.
    ///
    /// # Errors
    /// As [`Net::get`].
    pub(crate) async fn get_as(
        &self,
        action: Action,
        url: &Url,
        accept: &str,
        most: usize,
    ) -> Result<Option<Vec<u8>>, Error> {
        let (mut attempt, begun) = (1, Instant::now());
        loop {
            let error = match self.get_once(action, url, accept, most).await {
                Err(error) => error,
                answer => {
                    self.patience.answered();
                    return answer;
                }
            };
            match error.pause(attempt).or_else(|| self.patience.pause(url, &error, begun)) {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Err(error),
            }
            attempt += 1;
        }
    }

    /// Posts named parts once. An error does not say that the server did nothing: fetch back.
    ///
    /// # Errors
    /// [`Error`].
    pub(crate) async fn post(&self, url: &Url, parts: &[(&str, &[u8])]) -> Result<(), Error> {
        let form = || {
            parts.iter().fold(Form::new(), |form, (name, bytes)| {
                let part = reqwest::multipart::Part::bytes(bytes.to_vec());
                form.part("files", part.file_name((*name).to_owned()))
            })
        };
        self.prepare(url).await?;
        // The first answer may still be a challenge; the form is sent again with a token.
        let fill = |request: RequestBuilder| request.multipart(form());
        let response = self.send(Method::POST, Action::Push, url, fill).await?;
        match response.status() {
            status if status.is_success() => Ok(()),
            status => Err(self.refused(Action::Push, url, status, response).await),
        }
    }

    /// Has a server make something, once, and reads at most `most` bytes of what it answers.
    ///
    /// # Errors
    /// [`Error`].
    pub(crate) async fn make(&self, url: &Url, most: usize) -> Result<Vec<u8>, Error> {
        let response = self.send(Method::POST, Action::Push, url, |request| request).await?;
        match response.status() {
            status if status.is_success() => body(url, response, most).await,
            status => Err(self.refused(Action::Push, url, status, response).await),
        }
    }

    async fn get_once(
        &self,
        action: Action,
        url: &Url,
        accept: &str,
        most: usize,
    ) -> Result<Option<Vec<u8>>, Error> {
        let fill = |request: RequestBuilder| request.header(ACCEPT, accept);
        let response = self.send(Method::GET, action, url, fill).await?;
        match response.status() {
            StatusCode::OK => body(url, response, most).await.map(Some),
            StatusCode::NOT_FOUND => Ok(None),
            status => Err(self.refused(action, url, status, response).await),
        }
    }

    /// Gets the token for an upload before its body is sent, where reading wanted one: a server that refuses may close
    /// the connection before it has read a large body, and then its challenge is lost.
    async fn prepare(&self, url: &Url) -> Result<(), Error> {
        let place = place(url);
        if self.logins.known(place, Action::Push).is_some() {
            return Ok(());
        }
        let asked = match self.logins.known(place, Action::Pull) {
            Some((Challenge::Bearer(asked), _)) => asked.pushing(),
            Some(basic) => {
                self.logins.keep(place, Action::Push, basic);
                return Ok(());
            }
            None => return Ok(()),
        };
        let mut attempt = 1;
        let token = loop {
            match self.token(Action::Push, url, &asked).await {
                Ok(token) => break token,
                Err(error) => match error.pause(attempt) {
                    Some(pause) => tokio::time::sleep(pause).await,
                    None => return Err(error),
                },
            }
            attempt += 1;
        };
        let given = (Challenge::Bearer(asked), Login::Bearer(token));
        self.logins.keep(place, Action::Push, given);
        Ok(())
    }

    async fn send(
        &self,
        method: Method,
        action: Action,
        url: &Url,
        fill: impl Fn(RequestBuilder) -> RequestBuilder,
    ) -> Result<Response, Error> {
        let client = self.client(url)?;
        let request = |login: Option<Login>| {
            let request = fill(client.request(method.clone(), url.clone()));
            match login {
                Some(Login::Bearer(token)) => request.bearer_auth(token),
                Some(Login::Basic(own)) => with_password(request, &own),
                None => request,
            }
        };
        let known = self.logins.known(place(url), action).map(|(_, login)| login);
        let response = request(known).send().await.map_err(|error| Error::of(url, &error))?;
        if response.status() != StatusCode::UNAUTHORIZED {
            return Ok(response);
        }
        let given = self.answer(action, url, &response).await?;
        let login = given.1.clone();
        self.logins.keep(place(url), action, given);
        request(Some(login)).send().await.map_err(|error| Error::of(url, &error))
    }

    /// Answers the challenges of a response: by a token where one is asked for, else by the credentials.
    async fn answer(
        &self,
        action: Action,
        url: &Url,
        response: &Response,
    ) -> Result<(Challenge, Login), Error> {
        let headers = response.headers().get_all(WWW_AUTHENTICATE).iter();
        let headers = headers.filter_map(|header| header.to_str().ok());
        let challenges: Vec<_> = headers.flat_map(Challenge::all).collect();
        let bearer = challenges.iter().find_map(|challenge| match challenge {
            Challenge::Bearer(asked) => Some(asked),
            Challenge::Basic => None,
        });
        if let Some(asked) = bearer {
            let token = self.token(action, url, asked).await?;
            return Ok((Challenge::Bearer(asked.clone()), Login::Bearer(token)));
        }
        match self.keyring.of(self.registry_of(url)).await? {
            Some(own) if challenges.contains(&Challenge::Basic) && own.is_password() => {
                Ok((Challenge::Basic, Login::Basic(own)))
            }
            _ => Err(self.unauthorized(action, url, StatusCode::UNAUTHORIZED)),
        }
    }

    async fn token(&self, action: Action, url: &Url, asked: &Bearer) -> Result<String, Error> {
        let unauthorized = || self.unauthorized(action, url, StatusCode::UNAUTHORIZED);
        let realm = asked.realm().ok_or_else(unauthorized)?;
        check_url(&realm)?;
        let own = self.keyring.of(self.registry_of(url)).await?;
        let host = realm.host_str().unwrap_or_default();
        let asked_host = url.host_str().unwrap_or_default();
        let is_named = self.token_host.as_deref() == Some(host);
        if own.is_some() && !is_named && !is_token_server_of(host, asked_host) {
            return Err(Error::Elsewhere { url: url.to_string(), host: host.to_owned() });
        }
        let client = self.client(&realm)?;
        let request = match own.as_deref() {
            Some(Credentials::Identity(token)) => {
                let form = asked.exchange(token);
                client.post(realm.clone()).header(CONTENT_TYPE, FORM).body(form)
            }
            Some(own) => with_password(client.get(asked.question(&realm)), own),
            None => client.get(asked.question(&realm)),
        };
        let response = request.send().await.map_err(|error| Error::of(&realm, &error))?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => return Err(unauthorized()),
            status => return Err(self.refused(action, &realm, status, response).await),
        }
        let answer = body(&realm, response, 64 << 10).await?;
        Bearer::token(&answer).ok_or_else(unauthorized)
    }

    /// The registry whose credentials a server may have: a trust server those of the repository's.
    fn registry_of<'a>(&'a self, url: &'a Url) -> Option<&'a str> {
        self.registry.as_deref().or_else(|| {
            let (gun, _) = url.path().strip_prefix("/v2/")?.split_once("/_trust/")?;
            let (host, _) = gun.split_once('/')?;
            (host.contains(['.', ':']) || host == "localhost").then_some(host)
        })
    }

    async fn refused(
        &self,
        action: Action,
        url: &Url,
        status: StatusCode,
        response: Response,
    ) -> Error {
        if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            return self.unauthorized(action, url, status);
        }
        let after = response.headers().get(RETRY_AFTER).and_then(|header| header.to_str().ok());
        let after = after.and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
        let said = body(url, response, 64 << 10).await.unwrap_or_default();
        // The text comes from elsewhere: one line, and nothing that moves a terminal's cursor.
        let said = String::from_utf8_lossy(&said);
        let said = said.chars().map(|c| if c.is_control() { ' ' } else { c }).take(600).collect();
        Error::Status { url: url.to_string(), status: status.as_u16(), said, after }
    }

    fn unauthorized(&self, action: Action, url: &Url, status: StatusCode) -> Error {
        let registry = self.registry_of(url);
        let given = self.keyring.gave(registry);
        let notary = self.registry.is_none();
        let (url, status, registry) =
            (url.to_string(), status.as_u16(), registry.map(str::to_owned));
        Error::Unauthorized { url, action, status, given, registry, notary }
    }

    fn client(&self, url: &Url) -> Result<&Client, Error> {
        let is_direct = is_here(url);
        let client = if is_direct { &self.here } else { &self.there };
        match client.get() {
            Some(client) => Ok(client),
            None => {
                let made = self.maker.make(is_direct)?;
                Ok(client.get_or_init(|| made))
            }
        }
    }
}

/// Whether a token server is the server's own: on its host, or the one that all of docker.io has.
fn is_token_server_of(host: &str, server: &str) -> bool {
    host == server || (host == "auth.docker.io" && server.ends_with(".docker.io"))
}

fn with_password(request: RequestBuilder, own: &Credentials) -> RequestBuilder {
    match own {
        Credentials::Identity(_) => request,
        Credentials::Password { user, password } => request.basic_auth(user, Some(&**password)),
    }
}

/// Reads a URL that may be asked: https, or http to this machine.
///
/// # Errors
/// [`Error::Url`], [`Error::Plain`].
pub(crate) fn url(text: &str) -> Result<Url, Error> {
    let url = Url::parse(text).map_err(|_| Error::Url { url: text.to_owned() })?;
    let odd = url.query().is_some() || url.fragment().is_some() || !url.username().is_empty();
    if odd || url.cannot_be_a_base() {
        return Err(Error::Url { url: text.to_owned() });
    }
    check_url(&url)?;
    Ok(url)
}

fn check_url(url: &Url) -> Result<(), Error> {
    match url.scheme() {
        "https" => Ok(()),
        "http" if is_here(url) => Ok(()),
        _ => Err(Error::Plain { url: url.to_string() }),
    }
}

/// Whether a URL is of this machine.
pub(crate) fn is_here(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// The folder of a URL: where a repository's files are.
fn place(url: &Url) -> &str {
    url.as_str().rsplit_once('/').map_or(url.as_str(), |(place, _)| place)
}

async fn body(url: &Url, mut response: Response, most: usize) -> Result<Vec<u8>, Error> {
    let large = || Error::Large { url: url.to_string(), most };
    if response.content_length().is_some_and(|length| length > most as u64) {
        return Err(large());
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| Error::of(url, &error))? {
        if bytes.len() + chunk.len() > most {
            return Err(large());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// How a token server takes what is posted to it.
const FORM: &str = "application/x-www-form-urlencoded";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_has_the_token_server_on_its_host_and_docker_io_the_one_it_is_known_for() {
        for (host, server, is_its_own) in [
            ("localhost", "localhost", true),
            ("auth.docker.io", "registry-1.docker.io", true),
            ("auth.docker.io", "notary.docker.io", true),
            ("auth.docker.io", "evil-docker.io", false),
            ("auth.docker.io.evil.test", "registry-1.docker.io", false),
            ("auth.docker.io", "docker.io.evil.test", false),
            ("auth.example", "registry.example", false),
        ] {
            assert_eq!(is_token_server_of(host, server), is_its_own, "{host} of {server}");
        }
    }

    #[test]
    fn only_https_and_this_machine_are_asked() {
        for good in [
            "https://trust.example",
            "http://localhost:1",
            "http://127.0.0.1:1/x",
            "http://[::1]:1",
        ] {
            assert!(url(good).is_ok(), "{good}");
        }
        for (bad, words) in [
            (
                "http://trust.example",
                "http://trust.example/: only https, or http to this machine, is asked",
            ),
            ("ftp://localhost", "ftp://localhost/: only https, or http to this machine, is asked"),
            (
                "http://localhost.example",
                "http://localhost.example/: only https, or http to this machine, is asked",
            ),
            ("https://user@host", "`https://user@host` is not the URL of a server"),
            ("https://host/?a", "`https://host/?a` is not the URL of a server"),
            ("host:1", "`host:1` is not the URL of a server"),
        ] {
            assert_eq!(url(bad).unwrap_err().to_string(), words);
        }
    }
}
