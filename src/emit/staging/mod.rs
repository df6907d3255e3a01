//! Atomic publication of outputs.
//!
//! In a folder, each file is written under a temporary hidden name, synced, and renamed at the end.
//! Either all files of a run are renamed, or none. Until then, dropping the outputs leaves the
//! folder as it was, without temporary files and new directories. What a killed process leaves is
//! undone and removed by the next one that writes to the directory: see `journal` and `temporary`.
//! Only regular files are replaced.
//!
//! In object storage, large objects are multipart uploads, and all objects are published at the end:
//! see `objects`.

mod directory;
mod error;
mod existing;
mod folder;
mod journal;
mod leftover;
#[cfg(feature = "object-store")]
mod objects;
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

/// Whether outputs of an earlier run are replaced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overwrite {
    /// The run fails before it starts.
    #[default]
    No,
    /// They are replaced.
    Yes,
}

/// A folder or bucket with unpublished outputs.
#[derive(Debug)]
pub struct Staging(Target);

#[derive(Debug)]
enum Target {
    Folder(Folder),
    #[cfg(feature = "object-store")]
    Objects(Objects),
}

/// An unpublished output. Errors of writing name its final path. It is removed when dropped.
#[derive(Debug)]
pub struct StagedFile(Kind);

#[derive(Debug)]
enum Kind {
    File(FolderFile),
    #[cfg(feature = "object-store")]
    Object(Object),
}

/// The result of a commit.
#[derive(Debug, PartialEq, Eq)]
pub struct Committed {
    /// The paths of the new files, or the URLs of the new objects, in the order of their
    /// publication.
    pub written: Vec<PathBuf>,
    /// Outputs of an earlier run that this run does not replace. They were removed, as they do not
    /// belong to the new ones.
    pub removed: Vec<PathBuf>,
}

impl Staging {
    /// Creates the folder `dir` and its parents if they are missing, recovers from a killed run,
    /// and checks the `names` of all files that may be written.
    ///
    /// # Errors
    /// Returns an error if `dir` is not a directory or cannot be created, if one of `names` exists
    /// and `overwrite` does not permit replacing it, or if one of them is not a regular file.
    pub fn new(dir: &Path, overwrite: Overwrite, names: &[&str]) -> Result<Self> {
        single::check_path(dir)?;
        Ok(Self(Target::Folder(Folder::new(dir, overwrite, names)?)))
    }

    /// Checks that objects can be written to the folder of a bucket, and the `names` of all objects
    /// that may be written. Until objects are published, waiting for the store ends when `stop` is
    /// set.
    ///
    /// # Errors
    /// Returns an error if the store cannot be reached or written to, if one of `names` exists and
    /// `overwrite` does not permit replacing it, or if the program was built without object
    /// storage.
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

    /// Returns the path or URL of the output `name`.
    pub fn path(&self, name: &str) -> PathBuf {
        match &self.0 {
            Target::Folder(folder) => folder.path(name),
            #[cfg(feature = "object-store")]
            Target::Objects(objects) => objects.url(name).into(),
        }
    }

    /// Returns whether outputs of an earlier run are replaced.
    pub fn overwrite(&self) -> Overwrite {
        match &self.0 {
            Target::Folder(folder) => folder.overwrite(),
            #[cfg(feature = "object-store")]
            Target::Objects(objects) => objects.overwrite(),
        }
    }

    /// Returns those of `names` that exist.
    ///
    /// # Errors
    /// Returns an error if a request to the store fails.
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

    /// Returns the errors of removing outputs that are dropped later.
    pub fn leftovers(&self) -> Leftovers {
        match &self.0 {
            Target::Folder(_) => Leftovers::default(),
            #[cfg(feature = "object-store")]
            Target::Objects(objects) => objects.leftovers(),
        }
    }

    /// Creates the output `name`: a file that only its owner can read and write, or an object.
    ///
    /// # Errors
    /// Returns an error if the directory cannot be written to.
    pub fn create(&self, name: &str) -> Result<StagedFile> {
        Ok(StagedFile(match &self.0 {
            Target::Folder(folder) => Kind::File(folder.create(name)?),
            #[cfg(feature = "object-store")]
            Target::Objects(objects) => Kind::Object(objects.create(name)),
        }))
    }

    /// Publishes `files`, which this has created, after all of them are stored. Removes the other
    /// `names` that exist from an earlier run.
    ///
    /// With [`Overwrite::No`], publishing an output fails if its name is taken. This is not atomic
    /// on file systems with neither a rename that does not replace nor hard links, and in stores
    /// that cannot check it: an output that another program creates at the same time can be
    /// replaced.
    ///
    /// # Errors
    /// Returns an error if an output cannot be stored or published, or if one was created in the
    /// meantime that must not be replaced. In a folder, the earlier state is restored; for objects,
    /// the error says which are published.
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
