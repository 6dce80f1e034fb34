//! What the kernel asks of the volume, and what it is told.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use fuser::{
    BsdFileFlags, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation,
    INodeNo, LockOwner, OpenFlags, RenameFlags, ReplyAttr, ReplyCreate, ReplyData, ReplyDirectory,
    ReplyEmpty, ReplyEntry, ReplyOpen, ReplyStatfs, ReplyWrite, Request, TimeOrNow, WriteFlags,
};

use crate::lie::{Fate, Lies};
use crate::tree::{Kind, Tree};

/// What the kernel sees.
pub(crate) struct Volume {
    pub(crate) tree: Mutex<Tree>,
    pub(crate) lies: Mutex<Lies>,
}

/// For how long the kernel may believe a name or an attribute: not at all.
const NEVER: Duration = Duration::ZERO;

/// What an operation is about.
enum On<'a> {
    Name(INodeNo, &'a OsStr),
    Node(INodeNo),
}

impl Volume {
    /// Meets the lies, and does the work if they let it.
    fn act<T>(
        &self,
        operation: &'static str,
        on: On<'_>,
        work: impl FnOnce(&mut Tree, Fate) -> Result<T, Errno>,
    ) -> Result<T, Errno> {
        let mut tree = self.tree.lock().unwrap_or_else(PoisonError::into_inner);
        let path = match on {
            On::Name(parent, name) => tree.path_in(parent.0, name),
            On::Node(number) => tree.path(number.0),
        };
        let fate = self.lies().meet(operation, &path)?;
        work(&mut tree, fate)
    }

    fn lies(&self) -> MutexGuard<'_, Lies> {
        self.lies.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn entry(reply: ReplyEntry, answer: Result<FileAttr, Errno>) {
    match answer {
        Ok(attributes) => reply.entry(&NEVER, &attributes, Generation(0)),
        Err(error) => reply.error(error),
    }
}

fn empty(reply: ReplyEmpty, answer: Result<(), Errno>) {
    match answer {
        Ok(()) => reply.ok(),
        Err(error) => reply.error(error),
    }
}

impl Filesystem for Volume {
    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let found = self.act("look", On::Name(parent, name), |tree, _| {
            let number = tree.find(parent.0, name)?;
            tree.attributes(number)
        });
        entry(reply, found);
    }

    fn getattr(&self, _: &Request, ino: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        match self.act("look", On::Node(ino), |tree, _| tree.attributes(ino.0)) {
            Ok(attributes) => reply.attr(&NEVER, &attributes),
            Err(error) => reply.error(error),
        }
    }

    fn setattr(
        &self,
        _: &Request,
        ino: INodeNo,
        mode: Option<u32>,
        _: Option<u32>,
        _: Option<u32>,
        size: Option<u64>,
        _: Option<TimeOrNow>,
        _: Option<TimeOrNow>,
        _: Option<SystemTime>,
        _: Option<FileHandle>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let operation = if size.is_some() { "truncate" } else { "look" };
        let changed = self.act(operation, On::Node(ino), |tree, _| {
            if let Some(size) = size {
                tree.file(ino.0)?.resize(size as usize, 0);
            }
            mode.into_iter().for_each(|mode| tree.set_mode(ino.0, mode));
            tree.attributes(ino.0)
        });
        match changed {
            Ok(attributes) => reply.attr(&NEVER, &attributes),
            Err(error) => reply.error(error),
        }
    }

    fn mkdir(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        _: u32,
        reply: ReplyEntry,
    ) {
        let made = self.act("mkdir", On::Name(parent, name), |tree, fate| {
            tree.make(parent.0, name, (Kind::Folder(BTreeMap::new()), mode), fate)
        });
        entry(reply, made);
    }

    fn create(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        _: u32,
        _: i32,
        reply: ReplyCreate,
    ) {
        let made = self.act("create", On::Name(parent, name), |tree, fate| {
            tree.make(parent.0, name, (Kind::File(Vec::new()), mode), fate)
        });
        let flags = FopenFlags::FOPEN_DIRECT_IO;
        match made {
            Ok(made) => reply.created(&NEVER, &made, Generation(0), FileHandle(0), flags),
            Err(error) => reply.error(error),
        }
    }

    fn open(&self, _: &Request, ino: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        match self.act("open", On::Node(ino), |tree, fate| tree.open(ino.0, fate)) {
            Ok(()) => reply.opened(FileHandle(0), FopenFlags::FOPEN_DIRECT_IO),
            Err(error) => reply.error(error),
        }
    }

    fn read(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        let read = self.act("read", On::Node(ino), |tree, _| {
            let bytes = tree.file(ino.0)?;
            let start = bytes.len().min(offset as usize);
            let end = bytes.len().min(start + size as usize);
            Ok(bytes[start..end].to_vec())
        });
        match read {
            Ok(bytes) => reply.data(&bytes),
            Err(error) => reply.error(error),
        }
    }

    fn write(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        data: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        let written =
            self.act("write", On::Node(ino), |tree, fate| tree.put(ino.0, offset, data, fate));
        match written {
            Ok(()) => reply.written(data.len() as u32),
            Err(error) => reply.error(error),
        }
    }

    fn unlink(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        let on = On::Name(parent, name);
        empty(reply, self.act("remove", on, |tree, _| tree.remove(parent.0, name, false)));
    }

    fn rmdir(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        let on = On::Name(parent, name);
        empty(reply, self.act("remove", on, |tree, _| tree.remove(parent.0, name, true)));
    }

    fn rename(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        newparent: INodeNo,
        newname: &OsStr,
        flags: RenameFlags,
        reply: ReplyEmpty,
    ) {
        let keep = flags.contains(RenameFlags::RENAME_NOREPLACE);
        if !(flags - RenameFlags::RENAME_NOREPLACE).is_empty() {
            return reply.error(Errno::EINVAL);
        }
        let renamed = self.act("rename", On::Name(newparent, newname), |tree, fate| {
            if fate == Fate::Lost {
                return Ok(());
            }
            tree.rename((parent.0, name), (newparent.0, newname), keep)
        });
        empty(reply, renamed);
    }

    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        reply.ok();
    }

    fn fsync(&self, _: &Request, ino: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        empty(reply, self.act("sync", On::Node(ino), |_, _| Ok(())));
    }

    fn fsyncdir(&self, _: &Request, ino: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        empty(reply, self.act("sync", On::Node(ino), |_, _| Ok(())));
    }

    fn readdir(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        mut reply: ReplyDirectory,
    ) {
        let entries = match self.act("list", On::Node(ino), |tree, _| tree.list(ino.0)) {
            Ok(entries) => entries,
            Err(error) => return reply.error(error),
        };
        let dots = [".", ".."].map(|name| (name.into(), ino.0, FileType::Directory));
        let all = dots.into_iter().chain(entries).zip(1..).skip(offset as usize);
        for ((name, number, kind), next) in all {
            if reply.add(INodeNo(number), next, kind, name) {
                break;
            }
        }
        reply.ok();
    }

    fn statfs(&self, _: &Request, _: INodeNo, reply: ReplyStatfs) {
        let mut lies = self.lies();
        if let Err(error) = lies.look() {
            return reply.error(error);
        }
        let free = if lies.has_room() { 1 << 19 } else { 0 };
        reply.statfs(1 << 20, free, free, 1 << 16, 1 << 15, 4096, 255, 4096);
    }
}
