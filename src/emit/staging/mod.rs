//! Outputs that appear whole or not at all.
//!
//! In a folder, each file is written under a hidden name beside its place, synced, and only then
//! renamed, all of them at the end and all of them or none. What is dropped before that leaves no
//! trace: not a temporary file, not a directory that was made for it, and what stood there before
//! stands there still. What a killed process leaves is undone and removed by the next one that
//! writes to the directory: see `journal` and `temporary`. Nothing but a regular file is ever
//! replaced.
//!
//! In object storage, each object is stored in parts that nobody sees, and all of them are put in
//! place at the end: see `objects`.

mod directory;
mod error;
mod folder;
mod journal;
mod leftover;
#[cfg(feature = "object-store")]
mod objects;
mod place;
mod publish;
mod single;
mod temporary;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

pub use self::error::{Result, StagingError};
use self::folder::{Folder, FolderFile};
pub use self::leftover::Leftovers;
#[cfg(feature = "object-store")]
use self::objects::{Object, Objects};
pub use self::single::{check_single, put};
pub use self::temporary::Readers;
use crate::store::{Stores, Url};

/// Whether outputs of an earlier run may be replaced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overwrite {
    /// Refuse to start.
    #[default]
    No,
    /// Replace them.
    Yes,
}

/// A place with outputs in the making.
#[derive(Debug)]
pub struct Staging(Target);

#[derive(Debug)]
enum Target {
    Folder(Folder),
    #[cfg(feature = "object-store")]
    Objects(Objects),
}

/// One output in the making. Errors of writing to it name its final place. Dropping it removes it.
#[derive(Debug)]
pub struct StagedFile(Kind);

#[derive(Debug)]
enum Kind {
    File(FolderFile),
    #[cfg(feature = "object-store")]
    Object(Object),
}

/// What a commit left behind.
#[derive(Debug, PartialEq, Eq)]
pub struct Committed {
    /// The new files or the URLs of the new objects, in the order in which they came to their
    /// places.
    pub written: Vec<PathBuf>,
    /// Those of an earlier run that this one has no counterpart of: they were removed, because
    /// beside the new ones they would be wrong.
    pub removed: Vec<PathBuf>,
}

impl Staging {
    /// Makes the folder `dir` and its parents where they are missing, puts in order what a killed
    /// run left there, and checks the `names` of every file that may be written.
    ///
    /// # Errors
    /// When `dir` is no directory or cannot be made, when one of `names` is there and `overwrite`
    /// does not allow it, or when one of them is no regular file.
    pub fn new(dir: &Path, overwrite: Overwrite, names: &[&str]) -> Result<Self> {
        single::check_path(dir)?;
        Ok(Self(Target::Folder(Folder::new(dir, overwrite, names)?)))
    }

    /// Checks that objects can be put into the folder of a bucket that `folder` names, and the
    /// `names` of all that may be written. `stop` ends the waiting for the store, until the objects
    /// come to their places.
    ///
    /// # Errors
    /// When the store cannot be reached or written to, when one of `names` is there and `overwrite`
    /// does not allow it, or when the program was built without object storage.
    pub fn in_store(
        (stores, folder): (&Stores, &Url),
        overwrite: Overwrite,
        names: &[&str],
        stop: Option<&'static AtomicBool>,
    ) -> Result<Self> {
        #[cfg(feature = "object-store")]
        {
            let objects = Objects::new((stores, folder), overwrite, names, stop)?;
            Ok(Self(Target::Objects(objects)))
        }
        #[cfg(not(feature = "object-store"))]
        {
            let _ = (overwrite, names, stop);
            Err(stores.open(folder).map_or_else(Into::into, |store| match *store {}))
        }
    }

    /// What to call the output `name` before the user.
    pub fn path(&self, name: &str) -> PathBuf {
        match &self.0 {
            Target::Folder(folder) => folder.path(name),
            #[cfg(feature = "object-store")]
            Target::Objects(objects) => objects.url(name).into(),
        }
    }

    /// Whether outputs may be replaced.
    pub fn overwrite(&self) -> Overwrite {
        match &self.0 {
            Target::Folder(folder) => folder.overwrite(),
            #[cfg(feature = "object-store")]
            Target::Objects(objects) => objects.overwrite(),
        }
    }

    /// Which of `names` are there.
    ///
    /// # Errors
    /// When a store does not tell.
    pub fn present(&self, names: &[String]) -> Result<Vec<String>> {
        match &self.0 {
            Target::Folder(folder) => {
                let is_there = |name: &&String| folder.path(name).exists();
                Ok(names.iter().filter(is_there).cloned().collect())
            }
            #[cfg(feature = "object-store")]
            Target::Objects(objects) => objects.present(names),
        }
    }

    /// What cannot be removed of outputs that are dropped.
    pub fn leftovers(&self) -> Leftovers {
        match &self.0 {
            Target::Folder(_) => Leftovers::default(),
            #[cfg(feature = "object-store")]
            Target::Objects(objects) => objects.leftovers(),
        }
    }

    /// Begins the output `name`: a file readable and writable by its owner alone, or an object.
    ///
    /// # Errors
    /// When the directory cannot be written to.
    pub fn create(&self, name: &str) -> Result<StagedFile> {
        Ok(StagedFile(match &self.0 {
            Target::Folder(folder) => Kind::File(folder.create(name)?),
            #[cfg(feature = "object-store")]
            Target::Objects(objects) => Kind::Object(objects.create(name)),
        }))
    }

    /// Brings every one of `files`, which this has begun, to its place, having stored all of them
    /// first, and removes those of the names given at the start that stand there from an earlier
    /// run.
    ///
    /// Without leave to overwrite, an output only gets a name that is free at that moment. Where a
    /// file system has neither a rename that replaces nothing nor hard links, and where a store
    /// cannot check that, what another program makes in the same instant can be replaced.
    ///
    /// # Errors
    /// When an output cannot be stored or put in place, or when one has appeared in the meantime
    /// that must not be overwritten. Then what was there in a folder before is there again; of
    /// objects, the error says which are in place.
    pub fn commit(self, files: Vec<StagedFile>) -> Result<Committed> {
        match self.0 {
            Target::Folder(folder) => {
                folder.commit(files.into_iter().filter_map(StagedFile::file).collect())
            }
            #[cfg(feature = "object-store")]
            Target::Objects(objects) => {
                objects.commit(files.into_iter().filter_map(StagedFile::object).collect())
            }
        }
    }
}

impl StagedFile {
    #[cfg_attr(not(feature = "object-store"), allow(clippy::unnecessary_wraps))]
    fn file(self) -> Option<FolderFile> {
        match self.0 {
            Kind::File(file) => Some(file),
            #[cfg(feature = "object-store")]
            Kind::Object(_) => None,
        }
    }

    #[cfg(feature = "object-store")]
    fn object(self) -> Option<Object> {
        match self.0 {
            Kind::Object(object) => Some(object),
            Kind::File(_) => None,
        }
    }

    fn writer(&mut self) -> &mut dyn Write {
        match &mut self.0 {
            Kind::File(file) => file,
            #[cfg(feature = "object-store")]
            Kind::Object(object) => object,
        }
    }
}

impl Write for StagedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer().flush()
    }
}
