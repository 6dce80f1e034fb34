//! The child that looks at a picture: it is told the bytes, and says which codes are on them.
//!
//! Roof: the parent's handle is [`Scan`]; the child's side is [`run`]. Pictures come from cameras and strangers, and what
//! decodes them is the code of others: it opens no file, holds no secret, has little memory, and takes nothing with it.

use rustix::process::{Resource, Rlimit};
use serde::{Deserialize, Serialize};

use super::fence::Reach;
use super::wire::{Bytes, Fault};
use super::{Error, Launch, Process, serve};
use crate::room::picture;
use crate::share::paper::PaperShare;

/// What errors call it.
pub const NAME: &str = "scan";

/// A running child that reads pictures.
pub struct Scan(Process);

impl Scan {
    /// Starts it.
    ///
    /// # Errors
    /// [`Error::Start`].
    pub fn start(launch: &Launch) -> Result<Self, Error> {
        Ok(Self(Process::start("scan", launch, Vec::new(), &())?))
    }

    /// The texts of the codes on a picture.
    ///
    /// # Errors
    /// [`Error::Picture`]; [`Error::Lost`] when the picture was too much for it.
    pub fn codes(&mut self, picture: &[u8]) -> Result<Vec<String>, Error> {
        if picture.len() > picture::MAX_BYTES {
            return Err(picture::Error::TooLarge.into());
        }
        for piece in picture.chunks(PIECE) {
            self.ask(&Question::Piece(Bytes(piece.to_vec())))?;
        }
        self.ask(&Question::Read)
    }

    fn ask(&mut self, question: &Question) -> Result<Vec<String>, Error> {
        let (answer, _) =
            self.0.call::<_, Result<Vec<String>, picture::Error>>(question, Vec::new())?;
        Ok(answer?)
    }
}

#[derive(Serialize, Deserialize)]
enum Question {
    Piece(Bytes),
    Read,
}

/// The child's side: answers until its parent closes the wire.
///
/// # Errors
/// The [`Fault`] that ended the conversation, other than its regular end.
pub fn run() -> Result<(), Fault> {
    // What a picture makes a decoder take beyond this ends the child, not the machine.
    let most = Rlimit { current: Some(MEMORY), maximum: Some(MEMORY) };
    rustix::process::setrlimit(Resource::As, most)?;
    let mut picture: Vec<u8> = Vec::new();
    let answer = move |question| match question {
        Question::Piece(piece) if picture.len() + piece.0.len() <= picture::MAX_BYTES => {
            picture.extend(piece.0);
            Ok(Vec::new())
        }
        Question::Piece(_) => Err(picture::Error::TooLarge),
        Question::Read => picture::codes(&std::mem::take(&mut picture), |codes| {
            PaperShare::from_codes(codes).is_ok()
        }),
    };
    serve(|()| {
        let mut answer = answer;
        (Reach::Nothing, move |question, _| (answer(question), Vec::new()))
    })
}

/// Bytes of a picture in one message.
const PIECE: usize = 4 << 20;
/// All the memory that the child may map, in bytes.
const MEMORY: u64 = 1 << 30;
