//! A volume in memory: folders and files, as plain as FAT.

use std::{
    collections::{BTreeMap, HashMap},
    ffi::{OsStr, OsString},
    time::UNIX_EPOCH,
};

use fuser::{Errno, FileAttr, FileType, INodeNo};

use crate::lie::Fate;

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

/// What a node is, with what is in it.
pub(crate) enum Kind {
    File(Vec<u8>),
    Folder(BTreeMap<OsString, u64>),
}

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

    /// The bytes of a file.
    pub(crate) fn file(&mut self, number: u64) -> Result<&mut Vec<u8>, Errno> {
        match self.nodes.get_mut(&number) {
            Some(Node { kind: Kind::File(bytes), .. }) => Ok(bytes),
            Some(_) => Err(Errno::EISDIR),
            None => Err(Errno::ENOENT),
        }
    }

    /// Opens a file. Of one that is flipped, whoever opens it a second time finds other bytes.
    pub(crate) fn open(&mut self, number: u64, fate: Fate) -> Result<(), Errno> {
        let times = self.opened.entry(number).or_default();
        *times += 1;
        let is_second = *times == 2;
        let bytes = self.file(number)?;
        if is_second && fate == Fate::Flipped {
            bytes.iter_mut().for_each(|byte| *byte ^= 1);
        }
        Ok(())
    }

    /// The names in a folder.
    pub(crate) fn list(&mut self, number: u64) -> Result<Vec<(OsString, u64, FileType)>, Errno> {
        let entries = self.folder(number)?.clone();
        let kind = |number| self.attributes(number).map_or(FileType::RegularFile, |node| node.kind);
        Ok(entries.into_iter().map(|(name, number)| (name, number, kind(number))).collect())
    }

    /// What a name stands for.
    pub(crate) fn find(&mut self, parent: u64, name: &OsStr) -> Result<u64, Errno> {
        self.folder(parent)?.get(name).copied().ok_or(Errno::ENOENT)
    }

    /// Makes a node. A lost one is there for whoever has it open, and has no name.
    pub(crate) fn make(
        &mut self,
        parent: u64,
        name: &OsStr,
        (kind, mode): (Kind, u32),
        fate: Fate,
    ) -> Result<FileAttr, Errno> {
        let number = self.next;
        if self.folder(parent)?.contains_key(name) {
            return Err(Errno::EEXIST);
        }
        if fate != Fate::Lost {
            self.folder(parent)?.insert(name.to_owned(), number);
        }
        self.nodes.insert(number, Node { kind, mode: mode & 0o7777 });
        self.next += 1;
        self.attributes(number)
    }

    /// Says who may do what; here a word without a meaning.
    pub(crate) fn set_mode(&mut self, number: u64, mode: u32) {
        if let Some(node) = self.nodes.get_mut(&number) {
            node.mode = mode & 0o7777;
        }
    }

    /// Puts bytes into a file, or what a lie makes of them.
    pub(crate) fn put(
        &mut self,
        number: u64,
        offset: u64,
        data: &[u8],
        fate: Fate,
    ) -> Result<(), Errno> {
        let bytes = self.file(number)?;
        let (start, end) = (offset as usize, offset as usize + data.len());
        bytes.resize(bytes.len().max(end), 0);
        match fate {
            Fate::Lost => bytes[start..end].fill(0),
            Fate::Flipped | Fate::Kept => bytes[start..end].copy_from_slice(data),
        }
        if fate == Fate::Flipped && start < end {
            bytes[start + data.len() / 2] ^= 1;
        }
        Ok(())
    }

    /// Takes a name away. A file stays for those who have it open, and costs a test nothing.
    pub(crate) fn remove(
        &mut self,
        parent: u64,
        name: &OsStr,
        want_folder: bool,
    ) -> Result<(), Errno> {
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

    /// Gives a node another name; with `keep`, never one that is taken.
    pub(crate) fn rename(
        &mut self,
        from: (u64, &OsStr),
        to: (u64, &OsStr),
        keep: bool,
    ) -> Result<(), Errno> {
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

    /// What a node is called, below the volume; nothing for the volume itself, and for what has no name any more.
    pub(crate) fn path(&self, number: u64) -> String {
        let parent = self.nodes.iter().find_map(|(parent, node)| match &node.kind {
            Kind::Folder(entries) => {
                let (name, _) = entries.iter().find(|(_, inside)| **inside == number)?;
                Some((*parent, name))
            }
            Kind::File(_) => None,
        });
        parent.map_or_else(String::new, |(parent, name)| self.path_in(parent, name))
    }

    /// What a name in a folder is below the volume.
    pub(crate) fn path_in(&self, folder: u64, name: &OsStr) -> String {
        let (folder, name) = (self.path(folder), name.to_string_lossy());
        if folder.is_empty() { name.into_owned() } else { format!("{folder}/{name}") }
    }

    /// What there is to say of a node.
    pub(crate) fn attributes(&self, number: u64) -> Result<FileAttr, Errno> {
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
