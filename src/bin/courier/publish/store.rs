//! A place of published files: a folder, or an object store reached by its own API.
//!
//! Annex: the file system below one folder, or the network.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey};
use object_store::client::{Certificate, ClientConfigKey, ClientOptions};
use object_store::path::Path;
use object_store::{
    Error as StoreError, ObjectStore, ObjectStoreExt, PutMode, PutPayload, RetryConfig,
    UpdateVersion,
};
use officiant::request::MAX_ROOT;
use officiant::room::media;

use super::Error;
use crate::{args, files, net};

/// Where the places of a command are: folders, or object stores, each with one client for all repositories.
pub(super) enum Stores {
    /// Folders.
    Folders,
    /// Object stores; the clients by bucket.
    Buckets(args::Network, Mutex<BTreeMap<String, Arc<AmazonS3>>>),
}

/// A place of files.
pub(super) enum Store {
    /// Files in a folder.
    Folder(PathBuf),
    /// Objects below a prefix.
    Bucket(Arc<AmazonS3>, Path),
}

/// A file as it was found, so that it is replaced only while it is still that one.
pub(super) struct Found {
    pub(super) bytes: Vec<u8>,
    version: Option<UpdateVersion>,
}

/// How a file came to be where it was to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Created {
    /// It was there already.
    Before,
    /// It was written now.
    Now,
}

/// How the replacement of a file ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Replaced {
    /// It was replaced.
    Now,
    /// It is not the one any more that was judged.
    Refused,
}

impl Stores {
    /// Object stores, reached as the command line says.
    pub(super) fn buckets(network: &args::Network) -> Self {
        Self::Buckets(network.clone(), Mutex::default())
    }

    /// A folder that exists, or `s3://BUCKET/PREFIX`.
    pub(super) fn at(&self, place: &str) -> Result<Store, Error> {
        match self {
            Self::Folders if PathBuf::from(place).is_dir() => Ok(Store::Folder(place.into())),
            Self::Folders => Err(Error::NoFolder { path: place.to_owned() }),
            Self::Buckets(network, made) => bucket(place, network, made),
        }
    }
}

/// `s3://BUCKET/PREFIX`, with region, endpoint and credentials from the AWS variables of the environment.
fn bucket(
    place: &str,
    network: &args::Network,
    made: &Mutex<BTreeMap<String, Arc<AmazonS3>>>,
) -> Result<Store, Error> {
    let bad = |because: String| Error::Store { what: format!("`{place}`"), because };
    let rest = place.strip_prefix("s3://").ok_or_else(|| bad("only s3:// is known".to_owned()))?;
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    let prefix =
        Path::parse(prefix.trim_end_matches('/')).map_err(|error| bad(error.to_string()))?;
    let mut made = made.lock().unwrap_or_else(PoisonError::into_inner);
    let store = match made.get(bucket) {
        Some(store) => Arc::clone(store),
        None => {
            let store = client(bucket, network, bad)?;
            Arc::clone(made.entry(bucket.to_owned()).or_insert(Arc::new(store)))
        }
    };
    Ok(Store::Bucket(store, prefix))
}

fn client(
    bucket: &str,
    network: &args::Network,
    bad: impl Fn(String) -> Error,
) -> Result<AmazonS3, Error> {
    let store = AmazonS3Builder::from_env().with_bucket_name(bucket);
    let plain = AmazonS3ConfigKey::Client(ClientConfigKey::AllowHttp);
    let plain = store.get_config_value(&plain).is_some_and(|allowed| allowed == "true");
    let options = options(network)?.with_allow_http(plain);
    let retry = RetryConfig {
        max_retries: 2,
        retry_timeout: Duration::from_secs(network.timeout),
        ..RetryConfig::default()
    };
    let store = store.with_client_options(options).with_retry(retry).build();
    store.map_err(|error| bad(one_line(&error)))
}

impl Store {
    /// A file of at most `most` bytes; none when there is none.
    pub(super) async fn get(&self, file: &str, most: usize) -> Result<Option<Found>, Error> {
        match self {
            Self::Folder(folder) => {
                let bytes = files::read(&folder.join(file), most)?;
                Ok(bytes.map(|bytes| Found { bytes, version: None }))
            }
            Self::Bucket(store, prefix) => {
                let answer = match store.get(&prefix.clone().join(file)).await {
                    Err(StoreError::NotFound { .. }) => return Ok(None),
                    answer => answer.map_err(|error| failed("read", file, &error))?,
                };
                if answer.meta.size > most as u64 {
                    let (path, limit) = (PathBuf::from(file), most as u64);
                    return Err(Error::Media(media::Error::TooLarge { path, limit }));
                }
                let e_tag = answer.meta.e_tag.clone();
                let version = UpdateVersion { e_tag, version: answer.meta.version.clone() };
                let bytes = answer.bytes().await.map_err(|error| failed("read", file, &error))?;
                Ok(Some(Found { bytes: bytes.to_vec(), version: Some(version) }))
            }
        }
    }

    /// Writes a file that is not there; the store itself refuses when it is. Then the caller compares: an answer that
    /// was lost on the way looks so too, when the store's client asked again.
    pub(super) async fn create(&self, file: &str, bytes: &[u8]) -> Result<Created, Error> {
        match self {
            Self::Folder(folder) => match media::write_new(&folder.join(file), bytes) {
                Ok(media::Written::New) => Ok(Created::Now),
                Ok(media::Written::AlreadyThere) | Err(media::Error::Exists { .. }) => {
                    Ok(Created::Before)
                }
                Err(error) => Err(error.into()),
            },
            Self::Bucket(store, prefix) => {
                let payload = PutPayload::from(bytes.to_vec());
                let path = prefix.clone().join(file);
                match store.put_opts(&path, payload, PutMode::Create.into()).await {
                    Ok(_) => Ok(Created::Now),
                    Err(StoreError::AlreadyExists { .. }) => Ok(Created::Before),
                    Err(error) => Err(failed("create", file, &error)),
                }
            }
        }
    }

    /// Replaces a file whole, and only the one that was judged. Then the caller compares, as after [`Store::create`].
    pub(super) async fn replace(
        &self,
        file: &str,
        was: Found,
        bytes: &[u8],
    ) -> Result<Replaced, Error> {
        match self {
            Self::Folder(folder) => {
                if files::read(&folder.join(file), MAX_ROOT)?.as_ref() != Some(&was.bytes) {
                    return Ok(Replaced::Refused);
                }
                files::replace(folder, file, bytes)?;
                Ok(Replaced::Now)
            }
            Self::Bucket(store, prefix) => {
                let version = was.version.unwrap_or(UpdateVersion { e_tag: None, version: None });
                let payload = PutPayload::from(bytes.to_vec());
                let path = prefix.clone().join(file);
                match store.put_opts(&path, payload, PutMode::Update(version).into()).await {
                    Ok(_) => Ok(Replaced::Now),
                    Err(StoreError::Precondition { .. }) => Ok(Replaced::Refused),
                    Err(error) => Err(failed("replace", file, &error)),
                }
            }
        }
    }
}

/// Time limits and authorities as the command line says, for the store as for any server.
fn options(network: &args::Network) -> Result<ClientOptions, Error> {
    let timeout = Duration::from_secs(network.timeout);
    let mut options = ClientOptions::new()
        .with_timeout(timeout)
        .with_connect_timeout(timeout.min(Duration::from_secs(10)));
    if let Some(file) = &network.ca {
        let bad = || net::Error::Authority { file: file.clone() };
        let pem = std::fs::read(file).map_err(|_| bad())?;
        let authorities = Certificate::from_pem_bundle(&pem).map_err(|_| bad())?;
        if authorities.is_empty() {
            return Err(bad().into());
        }
        options = options.with_no_system_certificates(true);
        for authority in authorities {
            options = options.with_root_certificate(authority);
        }
    }
    Ok(options)
}

fn failed(verb: &str, file: &str, error: &StoreError) -> Error {
    Error::Store { what: format!("cannot {verb} `{file}`"), because: one_line(error) }
}

/// What the store said, without line ends and not for ever.
fn one_line(error: &StoreError) -> String {
    let text = error.to_string();
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(400).collect()
}
