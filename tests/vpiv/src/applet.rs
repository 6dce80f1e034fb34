//! Nitrokey's PIV applet, on its own operating system with storage in files and the kernel's randomness.
//!
//! That system's own test platform draws from a constant seed, which would give every virtual card the same keys, and
//! polls once a millisecond.

use std::{
    path::Path,
    sync::mpsc::{self, Sender},
    thread,
};

use des::{
    TdesEde3,
    cipher::{BlockEncrypt, KeyInit, generic_array::GenericArray},
};
use piv_authenticator::{Authenticator, Options};
use rand_core::OsRng;
use trussed::{
    ClientImplementation,
    backend::BackendId,
    pipe::{ServiceEndpoint, TrussedChannel},
    platform,
    service::Service,
    types::CoreContext,
    virt::{StorageConfig, Store, StoreConfig, UserInterface},
};
use trussed_auth_backend::{AuthBackend, FilesystemLayout};
use trussed_core::types::{Bytes, Location, PathBuf};
use trussed_staging::StagingBackend;

#[derive(Debug)]
enum Backend {
    Auth,
    Staging,
}

#[derive(Debug, trussed_derive::ExtensionId)]
enum Extension {
    Auth = 0,
    Chunked = 1,
    Hpke = 2,
    WrapKeyToFile = 3,
}

#[derive(trussed_derive::ExtensionDispatch)]
#[dispatch(backend_id = "Backend", extension_id = "Extension")]
#[extensions(
    Auth = "trussed_auth::AuthExtension",
    Chunked = "trussed_chunked::ChunkedExtension",
    Hpke = "trussed_hpke::HpkeExtension",
    WrapKeyToFile = "trussed_wrap_key_to_file::WrapKeyToFileExtension"
)]
struct Backends {
    #[extensions("Auth")]
    auth: AuthBackend,
    #[extensions("Chunked", "Hpke", "WrapKeyToFile")]
    staging: StagingBackend,
}

struct Platform<'a> {
    random: OsRng,
    store: Store<'a>,
    face: UserInterface,
}

impl<'a> platform::Platform for Platform<'a> {
    type R = OsRng;
    type S = Store<'a>;
    type UI = UserInterface;

    fn user_interface(&mut self) -> &mut UserInterface {
        &mut self.face
    }

    fn rng(&mut self) -> &mut OsRng {
        &mut self.random
    }

    fn store(&self) -> Store<'a> {
        self.store
    }
}

struct Call(Sender<()>);

impl platform::Syscall for Call {
    fn syscall(&mut self) {
        self.0.send(()).expect("the system");
    }
}

type Client<'a> = ClientImplementation<'a, Call, Backends>;

/// The applet, and what it answers to commands.
pub(crate) struct Applet<'a>(Authenticator<Client<'a>>);

/// Runs the applet with its storage in a folder.
pub(crate) fn with(folder: &Path, act: impl FnOnce(&mut Applet<'_>)) {
    let file = |name: &str| StorageConfig::filesystem(folder.join(name));
    let mut store = StoreConfig {
        internal: file("internal"),
        external: file("external"),
        volatile: StorageConfig::ram(),
    };
    store.with_store(|store| {
        let platform = Platform { random: OsRng, store, face: UserInterface::new() };
        let backends = Backends {
            auth: AuthBackend::with_hw_key(
                Location::Internal,
                Bytes::from(b"virtual hardware"),
                FilesystemLayout::V0,
            ),
            staging: StagingBackend::new(),
        };
        let channel = TrussedChannel::new();
        let (requester, responder) = channel.split().expect("a new channel");
        let (call, called) = mpsc::channel();
        let context = CoreContext::new(PathBuf::try_from("piv").expect("a name"));
        let endpoint = ServiceEndpoint::new(responder, context, BACKENDS);
        thread::scope(|scope| {
            scope.spawn(move || {
                let (mut service, mut endpoints) =
                    (Service::with_dispatch(platform, backends), [endpoint]);
                while called.recv().is_ok() {
                    service.process(&mut endpoints);
                }
            });
            let client = Client::new(requester, Call(call), None);
            act(&mut Applet(Authenticator::new(client, Options::new())));
        });
    });
}

impl Applet<'_> {
    /// Its answer, and the status word.
    pub(crate) fn command(&mut self, header: [u8; 3], data: &[u8]) -> (Vec<u8>, u16) {
        let [instruction, p1, p2] = header;
        let mut apdu = vec![0, instruction, p1, p2];
        if !data.is_empty() {
            apdu.push(0);
            apdu.extend(u16::try_from(data.len()).expect("a short command").to_be_bytes());
            apdu.extend(data);
        }
        let command = iso7816::Command::<4096>::try_from(&apdu).expect("a command");
        let mut reply = heapless::Vec::<u8, 4096>::new();
        match self.0.respond(command.as_view(), &mut reply) {
            Ok(()) => (reply.to_vec(), 0x9000),
            Err(status) => (Vec::new(), status.into()),
        }
    }

    /// Whether the PIN was verified.
    pub(crate) fn is_open(&mut self) -> bool {
        self.command([0x20, 0, 0x80], &[]).1 == 0x9000
    }

    /// How many tries of the PIN are left.
    pub(crate) fn tries(&mut self) -> u8 {
        self.close();
        match self.command([0x20, 0, 0x80], &[]).1 {
            left @ 0x63c0..=0x63cf => (left & 0xf) as u8,
            _ => 0,
        }
    }

    /// Forgets that the PIN was verified.
    pub(crate) fn close(&mut self) {
        self.command([0x20, 0xff, 0x80], &[]);
    }

    /// Its own management key stays the one that it was made with: who may manage is decided before it is asked.
    pub(crate) fn manage(&mut self) {
        let (challenge, status) = self.command([0x87, 3, 0x9b], &[0x7c, 2, 0x81, 0]);
        assert_eq!((status, challenge.len()), (0x9000, 12));
        let cipher = TdesEde3::new(GenericArray::from_slice(&crate::admin::FACTORY));
        let mut block = GenericArray::clone_from_slice(&challenge[4..]);
        cipher.encrypt_block(&mut block);
        let answer = [&[0x7c, 10, 0x82, 8][..], &block].concat();
        assert_eq!(self.command([0x87, 3, 0x9b], &answer).1, 0x9000);
    }
}

const BACKENDS: &[BackendId<Backend>] =
    &[BackendId::Custom(Backend::Staging), BackendId::Custom(Backend::Auth), BackendId::Core];
