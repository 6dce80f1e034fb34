//! Private data objects on a token: sealed shares and intents.
//!
//! The room, PKCS#11: drives the selected token.

use cryptoki::error::{Error as CkError, RvError};
use cryptoki::object::{Attribute, AttributeType, ObjectClass, ObjectHandle};
use cryptoki::session::SessionState;

use super::{Error, Module, Object, Selected, error};

impl Module {
    /// Stores a private data object that no one reads without a login.
    ///
    /// # Errors
    /// [`Error::ObjectTaken`], [`Error::Full`], [`Error::NotKept`], [`Error::NotSupported`], and what the device does.
    pub fn store(&mut self, object: &Object, value: &[u8]) -> Result<(), Error> {
        let selected = self.logged_in("storing an object")?;
        if !selected.data(&object.label)?.is_empty() {
            return Err(Error::ObjectTaken {
                token: selected.name.clone(),
                label: object.label.clone(),
            });
        }
        let template = [
            Attribute::Class(ObjectClass::DATA),
            Attribute::Token(true),
            Attribute::Private(true),
            Attribute::Label(object.label.as_bytes().to_vec()),
            Attribute::Application(object.application.as_bytes().to_vec()),
            Attribute::Value(value.to_vec()),
        ];
        let doing = format!("storing `{}`", object.label);
        let stored = selected.session.create_object(&template);
        stored.map_err(|error| selected.store_error(error, &doing))?;
        match selected.data(&object.label)?.is_empty() {
            true => {
                let (token, label) = (selected.name.clone(), object.label.clone());
                Err(Error::NotKept { token, label })
            }
            false => Ok(()),
        }
    }

    /// The data objects on the token, ours and others.
    ///
    /// # Errors
    /// [`Error::NotLoggedIn`], and what the device does.
    pub fn objects(&self) -> Result<Vec<Object>, Error> {
        let selected = self.logged_in("listing its objects")?;
        let fail = error::read(&selected.name, "listing its objects");
        let found = selected.session.find_objects(&[Attribute::Class(ObjectClass::DATA)]);
        let mut objects = Vec::new();
        for handle in found.map_err(&fail)? {
            let mut object = Object { label: String::new(), application: String::new() };
            let kinds = [AttributeType::Label, AttributeType::Application];
            for attribute in selected.session.get_attributes(handle, &kinds).map_err(&fail)? {
                match attribute {
                    Attribute::Label(text) => object.label = text_of(&text),
                    Attribute::Application(text) => object.application = text_of(&text),
                    _ => {}
                }
            }
            objects.push(object);
        }
        Ok(objects)
    }

    /// The value of the one data object with that label.
    ///
    /// # Errors
    /// [`Error::ObjectMissing`], [`Error::ObjectTaken`] if there are two, and what the device does.
    pub fn read(&self, label: &str) -> Result<Vec<u8>, Error> {
        let selected = self.logged_in("reading an object")?;
        let handle = selected.sole_data(label)?;
        let doing = format!("reading `{label}`");
        let value = selected.session.get_attributes(handle, &[AttributeType::Value]);
        match value.map_err(error::read(&selected.name, &doing))?.pop() {
            Some(Attribute::Value(value)) => Ok(value),
            _ => Err(selected.nonsense(&doing)),
        }
    }

    /// Deletes the one data object with that label.
    ///
    /// # Errors
    /// Those of [`Module::read`].
    pub fn delete(&mut self, label: &str) -> Result<(), Error> {
        let selected = self.logged_in("deleting an object")?;
        let handle = selected.sole_data(label)?;
        let doing = format!("deleting `{label}`");
        selected.session.destroy_object(handle).map_err(error::read(&selected.name, &doing))
    }

    /// The selected token, if its user is logged in: without a login private objects are not refused but invisible, and
    /// "not there" would be a lie.
    pub(super) fn logged_in(&self, doing: &str) -> Result<&Selected, Error> {
        let selected = self.selected(doing)?;
        selected.refuse_logged_out(doing)?;
        Ok(selected)
    }
}

impl Selected {
    pub(super) fn refuse_logged_out(&self, doing: &str) -> Result<(), Error> {
        let info = self.session.get_session_info().map_err(error::read(&self.name, doing))?;
        match info.session_state() {
            SessionState::RwUser | SessionState::RoUser => Ok(()),
            _ => Err(Error::NotLoggedIn { token: self.name.clone(), doing: doing.to_owned() }),
        }
    }

    fn store_error(&self, error: CkError, doing: &str) -> Error {
        match &error {
            // The template is one that every token with data objects takes, so this is a token without them: the
            // modules of YubiKey and NSS say it so.
            CkError::Pkcs11(
                RvError::AttributeTypeInvalid
                | RvError::AttributeValueInvalid
                | RvError::TemplateInconsistent,
                _,
            ) => Error::NotSupported { token: self.name.clone(), what: doing.to_owned() },
            _ => error::read(&self.name, doing)(error),
        }
    }

    fn data(&self, label: &str) -> Result<Vec<ObjectHandle>, Error> {
        let template =
            [Attribute::Class(ObjectClass::DATA), Attribute::Label(label.as_bytes().to_vec())];
        self.session.find_objects(&template).map_err(error::read(&self.name, "finding an object"))
    }

    fn sole_data(&self, label: &str) -> Result<ObjectHandle, Error> {
        let (token, label, found) = (self.name.clone(), label.to_owned(), self.data(label)?);
        match found[..] {
            [] => Err(Error::ObjectMissing { token, label }),
            [sole] => Ok(sole),
            _ => Err(Error::ObjectTaken { token, label }),
        }
    }
}

fn text_of(bytes: &[u8]) -> String {
    crate::room::token::clean(&String::from_utf8_lossy(bytes))
}
