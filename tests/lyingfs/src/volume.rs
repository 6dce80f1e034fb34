//! A volume in memory: folders and files, as plain as FAT.

use std::{
    collections::{BTreeMap, HashMap},
    ffi::{OsStr, OsString},
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use fuser::{
    BsdFileFlags, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation,
    INodeNo, LockOwner, OpenFlags, RenameFlags, ReplyAttr, ReplyCreate, ReplyData, ReplyDirectory,
    ReplyEmpty, ReplyEntry, ReplyOpen, ReplyStatfs, ReplyWrite, Request, TimeOrNow, WriteFlags,
};

use crate::lie::{Fate, Lies};

/// What the kernel sees.
pub(crate) struct Volume {
    pub(crate) tree: Mutex<Tree>,
    pub(crate) lies: Mutex<Lies>,
}

/// Every node by its number.
pub(crate) struct Tree {
    nodes: HashMap<u64, Node>,
    next: u64,
    /// How often each file was opened.
    opened: HashMap<u64, u32>,
}

struct Node {
    kind: Kind,
    mode: u32,
}

enum Kind {
    File(Vec<u8>),
    Folder(BTreeMap<OsString, u64>),
}

/// For how long the kernel may believe a name or an attribute: not at all.
const NEVER: Duration = Duration::ZERO;

impl Tree {
    /// A volume with nothing on it.
    pub(crate) fn empty() -> Self {
        let root = Node { kind: Kind::Folder(BTreeMap::new()), mode: 0o755 };
        Self { nodes: HashMap::from([(1, root)]), next: 2, opened: HashMap::new() }
    }

    fn folder(&mut self, number: u64) -> Result<&mut BTreeMap<OsString, u64>, Errno> {
        match self.nodes.get_mut(&number) {
            Some(Node { kind: Kind::Folder(entries), .. }) => Ok(entries),
            Some(_) => Err(Errno::ENOTDIR),
            None => Err(Errno::ENOENT),
        }
    }

    fn file(&mut self, number: u64) -> Result<&mut Vec<u8>, Errno> {
        match self.nodes.get_mut(&number) {
            Some(Node { kind: Kind::File(bytes), .. }) => Ok(bytes),
            Some(_) => Err(Errno::EISDIR),
            None => Err(Errno::ENOENT),
        }
    }

    fn find(&mut self, parent: u64, name: &OsStr) -> Result<u64, Errno> {
        self.folder(parent)?.get(name).copied().ok_or(Errno::ENOENT)
    }

    fn add(&mut self, parent: u64, name: &OsStr, kind: Kind, mode: u32) -> Result<u64, Errno> {
        let number = self.next;
        if self.folder(parent)?.contains_key(name) {
            return Err(Errno::EEXIST);
        }
        self.folder(parent)?.insert(name.to_owned(), number);
        self.nodes.insert(number, Node { kind, mode: mode & 0o7777 });
        self.next += 1;
        Ok(number)
    }

    /// Takes a name away. A file stays for those who have it open, and costs a test nothing.
    fn remove(&mut self, parent: u64, name: &OsStr, want_folder: bool) -> Result<(), Errno> {
        let number = self.find(parent, name)?;
        match (&self.nodes[&number].kind, want_folder) {
            (Kind::Folder(_), false) => return Err(Errno::EISDIR),
            (Kind::File(_), true) => return Err(Errno::ENOTDIR),
            (Kind::Folder(entries), true) if !entries.is_empty() => return Err(Errno::ENOTEMPTY),
            _ => {}
        }
        self.folder(parent)?.remove(name);
        Ok(())
    }

    fn rename(&mut self, from: (u64, &OsStr), to: (u64, &OsStr), keep: bool) -> Result<(), Errno> {
        let number = self.find(from.0, from.1)?;
        if let Ok(there) = self.find(to.0, to.1) {
            if keep {
                return Err(Errno::EEXIST);
            }
            let is_folder = matches!(self.nodes[&there].kind, Kind::Folder(_));
            self.remove(to.0, to.1, is_folder)?;
        }
        self.folder(from.0)?.remove(from.1);
        self.folder(to.0)?.insert(to.1.to_owned(), number);
        Ok(())
    }

    fn attributes(&self, number: u64) -> Result<FileAttr, Errno> {
        let node = self.nodes.get(&number).ok_or(Errno::ENOENT)?;
        let (kind, size) = match &node.kind {
            Kind::File(bytes) => (FileType::RegularFile, bytes.len() as u64),
            Kind::Folder(_) => (FileType::Directory, 0),
        };
        Ok(FileAttr {
            ino: INodeNo(number),
            size,
            blocks: size.div_ceil(512),
            atime: UNIX_EPOCH,
            mtime: UNIX_EPOCH,
            ctime: UNIX_EPOCH,
            crtime: UNIX_EPOCH,
            kind,
            perm: node.mode as u16,
            nlink: 1,
            uid: 0,
            gid: 0,
            rdev: 0,
            blksize: 4096,
            flags: 0,
        })
    }
}

impl Volume {
    /// Meets the lies, and does the work if they let it.
    fn act<T>(
        &self,
        operation: &'static str,
        name: &OsStr,
        work: impl FnOnce(&mut Tree, Fate) -> Result<T, Errno>,
    ) -> Result<T, Errno> {
        let mut lies = self.lies.lock().unwrap_or_else(PoisonError::into_inner);
        let fate = lies.meet(operation, &name.to_string_lossy())?;
        drop(lies);
        work(&mut self.tree(), fate)
    }

    fn tree(&self) -> std::sync::MutexGuard<'_, Tree> {
        self.tree.lock().unwrap_or_else(PoisonError::into_inner)
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

fn put(bytes: &mut Vec<u8>, offset: u64, data: &[u8], fate: Fate) {
    let (start, end) = (offset as usize, offset as usize + data.len());
    if bytes.len() < end {
        bytes.resize(end, 0);
    }
    if fate == Fate::Lost {
        bytes[start..end].fill(0);
        return;
    }
    bytes[start..end].copy_from_slice(data);
    if fate == Fate::Flipped && start < end {
        bytes[start + data.len() / 2] ^= 1;
    }
}

impl Filesystem for Volume {
    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let mut tree = self.tree();
        entry(reply, tree.find(parent.0, name).and_then(|number| tree.attributes(number)));
    }

    fn getattr(&self, _: &Request, ino: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        match self.tree().attributes(ino.0) {
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
        let resized = size.map_or(Ok(()), |size| {
            self.act("truncate", OsStr::new(""), |tree, _| {
                tree.file(ino.0)?.resize(size as usize, 0);
                Ok(())
            })
        });
        let mut tree = self.tree();
        if let (Some(mode), Some(node)) = (mode, tree.nodes.get_mut(&ino.0)) {
            node.mode = mode & 0o7777;
        }
        match resized.and_then(|()| tree.attributes(ino.0)) {
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
        let made = self.act("mkdir", name, |tree, _| {
            let number = tree.add(parent.0, name, Kind::Folder(BTreeMap::new()), mode)?;
            tree.attributes(number)
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
        let made = self.act("create", name, |tree, _| {
            let number = tree.add(parent.0, name, Kind::File(Vec::new()), mode)?;
            tree.attributes(number)
        });
        let flags = FopenFlags::FOPEN_DIRECT_IO;
        match made {
            Ok(made) => reply.created(&NEVER, &made, Generation(0), FileHandle(0), flags),
            Err(error) => reply.error(error),
        }
    }

    fn open(&self, _: &Request, ino: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        let open = self.act("open", OsStr::new(""), |tree, fate| {
            let times = tree.opened.entry(ino.0).or_default();
            *times += 1;
            if *times == 2 && fate == Fate::Flipped {
                tree.file(ino.0)?.iter_mut().for_each(|byte| *byte ^= 1);
            }
            tree.file(ino.0).map(drop)
        });
        match open {
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
        let read = self.act("read", OsStr::new(""), |tree, _| {
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
        let written = self.act("write", OsStr::new(""), |tree, fate| {
            put(tree.file(ino.0)?, offset, data, fate);
            Ok(())
        });
        match written {
            Ok(()) => reply.written(data.len() as u32),
            Err(error) => reply.error(error),
        }
    }

    fn unlink(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        empty(reply, self.act("remove", name, |tree, _| tree.remove(parent.0, name, false)));
    }

    fn rmdir(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        empty(reply, self.act("remove", name, |tree, _| tree.remove(parent.0, name, true)));
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
        let renamed = self.act("rename", newname, |tree, _| {
            tree.rename((parent.0, name), (newparent.0, newname), keep)
        });
        empty(reply, renamed);
    }

    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        reply.ok();
    }

    fn fsync(&self, _: &Request, _: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        empty(reply, self.act("sync", OsStr::new(""), |_, _| Ok(())));
    }

    fn fsyncdir(&self, _: &Request, _: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        empty(reply, self.act("sync", OsStr::new(""), |_, _| Ok(())));
    }

    fn readdir(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        mut reply: ReplyDirectory,
    ) {
        let mut tree = self.tree();
        let entries = match tree.folder(ino.0) {
            Ok(entries) => entries.clone(),
            Err(error) => return reply.error(error),
        };
        let dots = [(".".into(), ino.0), ("..".into(), ino.0)];
        let all = dots.into_iter().chain(entries).zip(1..).skip(offset as usize);
        for ((name, number), next) in all {
            let kind = tree.attributes(number).map_or(FileType::RegularFile, |a| a.kind);
            if reply.add(INodeNo(number), next, kind, name) {
                break;
            }
        }
        reply.ok();
    }

    fn statfs(&self, _: &Request, _: INodeNo, reply: ReplyStatfs) {
        reply.statfs(1 << 20, 1 << 19, 1 << 19, 1 << 16, 1 << 15, 4096, 255, 4096);
    }
}
