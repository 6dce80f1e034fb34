//! Keys of publishers on PKCS#11 tokens: a reference in the store, and a child that drives the token.
//!
//! Annex: starts that child, and asks for the PIN. The module is loaded there and never here (docs/threats.md rule 13).

mod uri;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use officiant::child::token::{Driver, Face, KeyRef, Login, Purpose, Token};
use officiant::child::{Error as ChildError, Launch};
use officiant::key::file::{self, KeyFile};
use officiant::key::{self, Algorithm, PublicKey, Scheme};
use officiant::room::binding::Needs;
use officiant::room::token::TriesLeft;
use officiant::wording::one_line;

use super::{Error, Owner, passphrase};
use crate::keys;
pub(crate) use uri::KeyUri;

/// How a key on a token is reached.
#[derive(Clone, Debug)]
pub(crate) struct Reach {
    /// Which key, and by which module.
    pub(crate) uri: KeyUri,
    /// What the module needs besides its own file.
    pub(crate) needs: Needs,
    /// SoftHSM's configuration, in the folder of its tokens: what SOFTHSM2_CONF named when the key was registered.
    pub(crate) softhsm: Option<PathBuf>,
}

/// A key on a token, as the store remembers it.
#[derive(Clone, Debug)]
pub(crate) struct Reference {
    reach: Reach,
    public: PublicKey,
}

impl Reference {
    /// Reads a file of the store.
    pub(super) fn of(block: &KeyFile) -> Option<Self> {
        let public = PublicKey::from_der(block.der()).ok().filter(|_| block.label() == PUBLIC)?;
        let paths = |name| block.headers(name).map(PathBuf::from).collect();
        let environment = block.headers(ENVIRONMENT).map(variable).collect::<Result<_, _>>();
        let needs = Needs {
            environment: environment.ok()?,
            parameters: block.header(PARAMETERS).map(str::to_owned),
            sockets: paths(SOCKET),
            writes: paths(WRITES),
        };
        let uri = KeyUri::parse(block.header(TOKEN)?).ok()?;
        let reach = Reach { uri, needs, softhsm: block.header(SOFTHSM).map(PathBuf::from) };
        Some(Self { reach, public })
    }

    /// The public half.
    pub(crate) fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The URI, as it was typed.
    pub(crate) fn uri(&self) -> &str {
        &self.reach.uri.text
    }

    /// The file: the public half, with headers that say how the private one is reached.
    ///
    /// # Errors
    /// [`Error::Line`].
    pub(crate) fn to_pem(&self, owner: &Owner) -> Result<String, Error> {
        let Reach { uri, needs, softhsm } = &self.reach;
        let variables = needs.environment.iter();
        let variables = variables.map(|(name, value)| (ENVIRONMENT, format!("{name}={value}")));
        let mut more: Vec<(&str, String)> = variables.collect();
        more.extend(needs.parameters.iter().map(|text| (PARAMETERS, text.clone())));
        let paths = needs.sockets.iter().map(|path| (SOCKET, path));
        let paths = paths.chain(needs.writes.iter().map(|path| (WRITES, path)));
        for (name, path) in paths.chain(softhsm.iter().map(|path| (SOFTHSM, path))) {
            more.push((name, path.to_string_lossy().into_owned()));
        }
        if let Some((_, text)) = more.iter().find(|(_, text)| one_line(text) != *text) {
            return Err(Error::Line { text: text.clone() });
        }
        let mut headers = owner.headers();
        headers.push((TOKEN, &uri.text));
        headers.extend(more.iter().map(|(name, text)| (*name, text.as_str())));
        Ok(file::write(PUBLIC, &headers, self.public.der()))
    }

    /// Opens the token by the PIN that is typed, for the time that the value lives.
    pub(super) fn open(&self) -> Result<OnToken, Error> {
        let mut found = self.reach.select()?;
        let keys = found.token.keys()?.into_iter().map(|object| object.key);
        let key = keys.into_iter().find(|key| key.public == self.public);
        let key = key.ok_or_else(|| Error::Absent { token: found.face.name.to_string() })?;
        found.login()?;
        Ok(OnToken { token: Mutex::new(found.token), key })
    }
}

impl Reach {
    /// Finds the one key that is meant, without a login.
    ///
    /// # Errors
    /// [`Error::Tokens`], [`Error::Keys`], [`Error::Token`].
    pub(crate) fn find(self) -> Result<Reference, Error> {
        let mut found = self.select()?;
        let keys = found.token.keys()?.into_iter();
        let mut fitting = keys.filter(|object| self.uri.fits(&object.label, &object.key.id));
        match (fitting.next(), fitting.count()) {
            (Some(object), 0) => Ok(Reference { reach: self, public: object.key.public }),
            (first, more) => {
                let found_keys = usize::from(first.is_some()) + more;
                let token = found.face.name.to_string();
                Err(Error::Keys { token, uri: self.uri.text.clone(), found: found_keys })
            }
        }
    }

    /// Has the token make a key that signs and never leaves it.
    ///
    /// # Errors
    /// [`Error::SoMakes`], [`Error::Token`], and those of the login.
    pub(crate) fn generate(self, owner: &Owner) -> Result<Reference, Error> {
        let label = self.uri.object.clone().unwrap_or_else(|| owner.role.clone());
        let mut found = self.select()?;
        if found.face.so_makes() {
            return Err(Error::SoMakes { token: found.face.name.to_string() });
        }
        found.login()?;
        // What a root key may do is what a publisher's may: sign metadata, and nothing else.
        let made = found.token.generate(Purpose::Root, Algorithm::EcdsaP256, &label)?;
        Ok(Reference { reach: self, public: made.key.public })
    }

    fn select(&self) -> Result<Selected, Error> {
        let driver = Driver::Module {
            module: self.uri.module.clone(),
            sha256: None,
            softhsm: self.softhsm.clone(),
            needs: Box::new(self.needs.clone()),
            uri: self.uri.token.clone(),
        };
        let mut token = Token::start(&Launch::this_binary(module_name(&self.uri.module)), &driver)?;
        let faces = token.list()?.faces.into_iter().filter(|face| face.is_initialised);
        let faces: Vec<Face> = faces.collect();
        match faces.as_slice() {
            [face] => {
                let face = token.select(&face.name.serial)?;
                Ok(Selected { token, face })
            }
            faces => Err(Error::Tokens { uri: self.uri.text.clone(), found: faces.len() }),
        }
    }
}

/// A token that is the one.
struct Selected {
    token: Token,
    face: Face,
}

impl Selected {
    /// One PIN, once; the last try is nobody's by accident.
    fn login(&mut self) -> Result<(), Error> {
        let token = self.face.name.to_string();
        if matches!(self.face.user_pin, TriesLeft::Last | TriesLeft::Locked) {
            return Err(Error::Tries { token, left: self.face.user_pin });
        }
        let login = match self.face.has_pad {
            true => {
                passphrase::point_to_pad(&token)?;
                self.token.login_on_pad()?
            }
            false => self.token.login(passphrase::pin(&token)?)?,
        };
        match login {
            Login::Open => Ok(()),
            Login::Refused(left) => Err(Error::Pin { token, left }),
        }
    }
}

/// An open token, and the key on it that signs.
pub(crate) struct OnToken {
    token: Mutex<Token>,
    key: KeyRef,
}

impl OnToken {
    pub(super) fn public(&self) -> &PublicKey {
        &self.key.public
    }

    /// Signs, and verifies what the token answered.
    pub(super) fn sign(&self, scheme: Scheme, message: &[u8]) -> Result<Vec<u8>, Error> {
        let bad = |source| Error::Key(keys::Error::Signature { source });
        let mut token = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        let raw = token.sign(&self.key, &[scheme.to_sign(message)])?;
        let raw = raw.first().ok_or_else(|| bad(key::Error::BadSignature))?;
        let public = self.public();
        let bytes = scheme.encode(public.algorithm(), raw).map_err(bad)?;
        public.verify(scheme, message, &bytes).map_err(bad)?;
        Ok(bytes)
    }
}

impl From<ChildError> for Error {
    fn from(error: ChildError) -> Self {
        Self::Token(Box::new(error))
    }
}

/// A variable of a module's environment, `NAME=VALUE`.
///
/// # Errors
/// [`Error::Variable`].
pub(crate) fn variable(text: &str) -> Result<(String, String), Error> {
    let bad = |why| Error::Variable { text: text.to_owned(), why };
    let (name, value) = text.split_once('=').ok_or_else(|| bad("expected `NAME=VALUE`"))?;
    match Needs::bars(name) {
        Some(why) => Err(bad(why)),
        None => Ok((name.to_owned(), value.to_owned())),
    }
}

/// What errors of the child call it.
fn module_name(module: &Path) -> String {
    module.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// By which we know a reference, and docker and notary pass over it.
pub(super) const EXTENSION: &str = ".pkcs11";
const PUBLIC: &str = "PUBLIC KEY";
const ENVIRONMENT: &str = "environment";
const PARAMETERS: &str = "parameters";
const SOCKET: &str = "socket";
const SOFTHSM: &str = "softhsm";
const TOKEN: &str = "token";
const WRITES: &str = "writes";
