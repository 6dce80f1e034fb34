//! The modules of this room: read and recorded before any is loaded, and loaded as they were read.
//!
//! Roof. docs/threats.md rules 13 and 23.

use super::Session;
use super::pause::Shown;
use crate::ceremony::fact::{Fact, ModuleRead};
use crate::check::Check;
use crate::child::token::Driver;
use crate::child::vault::Vault;
use crate::child::{Fence, Launch};
use crate::record::Mode;
use crate::refusal::{Exit, Refusal};
use crate::room::{binding, soft};

impl Session<'_> {
    pub(super) fn read_room(&mut self, step: u32) -> Result<Fact, Refusal> {
        let room = self.inputs.room_digest()?;
        self.show(&format!("        room.toml {}", room.grouped()))?;
        let modules = self.read_modules()?;
        for ModuleRead { name, sha256 } in &modules {
            self.show(&format!("        module {name} {}", sha256.grouped()))?;
            self.modules.insert(name.clone(), *sha256);
        }
        let act = "read these digests out; the witness compares them with paper";
        self.wait(&Shown { step, id: "read-room", who: "operator", act })?;
        self.check_pinned(step)?;
        self.check_confined(step)?;
        Ok(Fact::RoomRead { room, modules })
    }

    /// After a restart: another room.toml is an exception, and so is another module than was read, which is refused where
    /// the plan pins modules. Consent stays with the file with which the ceremony began. `[ROOM-MODULES]`
    pub(super) fn check_room_again(&mut self, step: u32) -> Result<(), Refusal> {
        let read = self.ceremony.facts().find_map(|fact| match fact {
            Fact::RoomRead { modules, .. } => Some(modules.clone()),
            _ => None,
        });
        // What was not read yet is read by the step that does; this file is another all the same.
        if let Some(read) = read {
            self.check_modules_again(step, &read)?;
        }
        let (begun, now) = (self.inputs.room_digest()?, self.room.binding.digest);
        if begun == now {
            return Ok(());
        }
        let expected = format!("room.toml {begun}, with which the ceremony began");
        self.ask_exception(step, expected, format!("room.toml is now {now}"))
    }

    fn check_modules_again(&mut self, step: u32, read: &[ModuleRead]) -> Result<(), Refusal> {
        for module in self.read_modules()? {
            if !read.contains(&module) {
                self.refuse_unread(step, &module)?;
            }
            self.modules.insert(module.name, module.sha256);
        }
        self.check_confined(step)
    }

    fn read_modules(&self) -> Result<Vec<ModuleRead>, Refusal> {
        let read = |module: &binding::Module| {
            let sha256 = binding::module_digest(&module.path).map_err(|error| error.refusal())?;
            Ok(ModuleRead { name: module.name.clone(), sha256 })
        };
        self.room.binding.modules.iter().map(read).collect()
    }

    fn refuse_unread(&mut self, step: u32, module: &ModuleRead) -> Result<(), Refusal> {
        let ModuleRead { name, sha256 } = module;
        if !self.ceremony.plan().modules().is_empty() {
            let what =
                format!("module `{name}` has digest {sha256}, and was not read in this ceremony");
            return Err(Refusal::of(Check::RoomModules, what)
                .hint("put back the module with which the ceremony began"));
        }
        let expected = "the modules that were read when the ceremony began drive its tokens";
        self.ask_exception(step, expected.to_owned(), format!("module {name} is now {sha256}"))
    }

    /// What a token says of itself is said by its module. One that nobody reviewed may say anything.
    fn check_pinned(&mut self, step: u32) -> Result<(), Refusal> {
        if self.ceremony.plan().trusts_any_module() {
            let expected = "the plan pins the modules that drive its tokens".to_owned();
            let happened = "it pins none: what they say of their tokens is believed".to_owned();
            self.ask_exception(step, expected, happened)?;
        }
        Ok(())
    }

    /// A kernel that cannot keep files from a module is told, and in a ceremony somebody decides.
    fn check_confined(&mut self, step: u32) -> Result<(), Refusal> {
        let vault = Vault::start(&Launch::this_binary("vault"));
        if vault.map_err(|error| self.child(&error))?.fence().is_confined() {
            return Ok(());
        }
        if self.room.mode != Mode::Ceremony {
            return self.show(&format!("        {}", Fence::UNCONFINED));
        }
        let expected = "modules open only the files that they need".to_owned();
        self.ask_exception(step, expected, Fence::UNCONFINED.to_owned())
    }

    /// How a token is driven: by the module of its name in room.toml, as that was read.
    pub(super) fn driver(&self, name: &str) -> Result<Driver, Refusal> {
        let binding = &self.room.binding;
        let missing = || {
            Refusal::new(Exit::Usage, format!("room.toml has no token `{name}`"))
                .hint("add a `[[token]]` with its module, and `resume`")
        };
        let token = binding.token(name).ok_or_else(missing)?;
        let (module, softhsm) = match &token.driver {
            binding::Driver::Module { name, softhsm, .. } => (name, softhsm),
            binding::Driver::YubiKey(serial) => {
                return Ok(Driver::YubiKey { serial: Some(*serial) });
            }
        };
        let module = binding.module(module).ok_or_else(missing)?;
        let unread = || Refusal::new(Exit::Ours, format!("module `{}` was not read", module.name));
        let sha256 = *self.modules.get(&module.name).ok_or_else(unread)?;
        let softhsm = match softhsm {
            None => None,
            Some(folder) => Some(soft::make(folder).map_err(|error| error.refusal())?),
        };
        let (path, needs) = (module.path.clone(), Box::new(module.needs.clone()));
        let uri = token.uri().cloned();
        Ok(Driver::Module { module: path, sha256: Some(sha256), softhsm, needs, uri })
    }
}
