//! A place of published files: a folder, or an object store reached by its own API.
//!
//! Annex: the file system below one folder, or the network.

use std::path::PathBuf;

use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutPayload, UpdateVersion};
use officiant::request::MAX_ROOT;
use officiant::room::media;

use super::Error;
use crate::files;

/// A place of files.
pub(super) enum Store {
    /// Files in a folder.
    Folder(PathBuf),
    /// Objects below a prefix.
    Bucket(Box<AmazonS3>, Path),
}

impl Store {
    /// A folder that exists.
    pub(super) fn folder(place: &str) -> Result<Self, Error> {
        let folder = PathBuf::from(place);
        if folder.is_dir() {
            Ok(Self::Folder(folder))
        } else {
            Err(Error::NoRoots { path: place.to_owned() })
        }
    }

    /// `s3://BUCKET/PREFIX`, with region, endpoint and credentials from the AWS variables of the environment.
    pub(super) fn bucket(place: &str) -> Result<Self, Error> {
        let bad = |because: String| Error::Store { what: format!("`{place}`"), because };
        let rest =
            place.strip_prefix("s3://").ok_or_else(|| bad("only s3:// is known".to_owned()))?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let store = AmazonS3Builder::from_env().with_bucket_name(bucket).build();
        let prefix =
            Path::parse(prefix.trim_end_matches('/')).map_err(|error| bad(error.to_string()))?;
        let store = store.map_err(|error| bad(one_line(&error)))?;
        Ok(Self::Bucket(Box::new(store), prefix))
    }

    /// A file's bytes; none when there is none.
    pub(super) async fn get(&self, file: &str) -> Result<Option<Vec<u8>>, Error> {
        match self {
            Self::Folder(folder) => Ok(files::read(&folder.join(file), MAX_ROOT)?),
            Self::Bucket(store, prefix) => {
                let answer = match store.get(&prefix.clone().join(file)).await {
                    Err(object_store::Error::NotFound { .. }) => return Ok(None),
                    answer => answer.map_err(|error| failed("read", file, &error))?,
                };
                if answer.meta.size > MAX_ROOT as u64 {
                    let path = PathBuf::from(file);
                    return Err(Error::Media(media::Error::TooLarge {
                        path,
                        limit: MAX_ROOT as u64,
                    }));
                }
                let bytes = answer.bytes().await.map_err(|error| failed("read", file, &error))?;
                Ok(Some(bytes.to_vec()))
            }
        }
    }

    /// Writes a file that is not there; the store itself refuses when it is.
    pub(super) async fn create(&self, file: &str, bytes: &[u8]) -> Result<(), Error> {
        match self {
            Self::Folder(folder) => Ok(media::write_new(&folder.join(file), bytes).map(drop)?),
            Self::Bucket(store, prefix) => {
                let payload = PutPayload::from(bytes.to_vec());
                let path = prefix.clone().join(file);
                let put = store.put_opts(&path, payload, PutMode::Create.into()).await;
                put.map(drop).map_err(|error| failed("create", file, &error))
            }
        }
    }

    /// Replaces a file whole, and not one that changed meanwhile where the store can say so.
    pub(super) async fn replace(&self, file: &str, bytes: &[u8]) -> Result<(), Error> {
        match self {
            Self::Folder(folder) => Ok(files::replace(folder, file, bytes)?),
            Self::Bucket(store, prefix) => {
                let path = prefix.clone().join(file);
                let found =
                    store.head(&path).await.map_err(|error| failed("read", file, &error))?;
                let version = UpdateVersion { e_tag: found.e_tag, version: found.version };
                let payload = PutPayload::from(bytes.to_vec());
                let put = store.put_opts(&path, payload, PutMode::Update(version).into()).await;
                put.map(drop).map_err(|error| failed("replace", file, &error))
            }
        }
    }
}

fn failed(verb: &str, file: &str, error: &object_store::Error) -> Error {
    Error::Store { what: format!("cannot {verb} `{file}`"), because: one_line(error) }
}

/// What the store said, without line ends and not for ever.
fn one_line(error: &object_store::Error) -> String {
    let text = error.to_string();
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(400).collect()
}
