//! One object in the making.

use std::fmt;
use std::io::{self, Write};
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::task::{JoinError, JoinSet};

use super::part::part_bytes;
use super::place::Place;
use crate::emit::staging::StagingError;
use crate::emit::staging::error::Result;
use crate::store::{Bucket, Replace, StoreError, StoreErrorKind, Upload, Version};

/// How often an object is put whose answer was lost.
const TRIES: usize = 3;
/// How long the removal of parts may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The result of a request.
type Answered<T> = std::result::Result<T, StoreError>;

/// One object in the making. Nothing of it can be seen until it is published. Dropped before that,
/// its parts are removed.
pub(in crate::emit::staging) struct Object {
    place: Arc<Place>,
    name: String,
    key: String,
    /// What is not sent yet: a part, or the whole of a small object.
    buffer: Vec<u8>,
    /// How much is sent.
    sent_bytes: u64,
    parts: Option<Parts>,
}

/// Parts that are stored or on their way.
struct Parts {
    upload: Upload,
    count: usize,
    /// Those that are on their way, or of which it is not seen yet what became of them.
    sending: JoinSet<Answered<()>>,
}

impl Object {
    pub(super) fn new(place: &Arc<Place>, name: &str) -> Self {
        Self {
            place: Arc::clone(place),
            name: name.to_owned(),
            key: place.key(name),
            buffer: Vec::new(),
            sent_bytes: 0,
            parts: None,
        }
    }

    /// Its name in the folder.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// What to call it before the user.
    pub(in crate::emit::staging) fn url(&self) -> String {
        self.place.url(&self.name)
    }

    fn part_bytes(&self) -> usize {
        part_bytes(self.parts.as_ref().map_or(0, |parts| parts.count))
    }

    /// Sends what is buffered as the next part, once there is room for it among those on their way.
    fn send(&mut self) -> Result<()> {
        let room = self.place.room(self.buffer.len())?;
        let parts = match &mut self.parts {
            Some(parts) => parts,
            none => {
                let (bucket, key) = (self.place.bucket.clone(), self.key.clone());
                let upload = self.place.wait(async move { bucket.start_upload(&key).await })?;
                none.insert(Parts { upload, count: 0, sending: JoinSet::new() })
            }
        };
        while let Some(sent) = parts.sending.try_join_next() {
            stored(&self.place.url(&self.name), sent)?;
        }
        let data = Bytes::from(mem::take(&mut self.buffer));
        self.sent_bytes += data.len() as u64;
        let part = parts.upload.put_part(data);
        parts.count += 1;
        let send = async move {
            let sent = part.await;
            drop(room);
            sent
        };
        parts.sending.spawn_on(send, self.place.runtime());
        Ok(())
    }

    /// Sends the rest of an object in parts, and waits until the store has all of them.
    pub(super) fn finish(&mut self) -> Result<()> {
        if self.parts.is_none() {
            return Ok(());
        }
        if !self.buffer.is_empty() {
            self.send()?;
        }
        let Some(parts) = &mut self.parts else { return Ok(()) };
        let (mut sending, url) = (mem::take(&mut parts.sending), self.place.url(&self.name));
        self.place.wait(async move {
            while let Some(sent) = sending.join_next().await {
                stored(&url, sent)?;
            }
            Ok(())
        })
    }

    /// Makes the object of what it consists of, which is all stored or in memory. `before` is the
    /// content that it replaces.
    pub(super) fn publish(mut self, before: Option<Version>) -> Result<()> {
        let (bucket, key) = (self.place.bucket.clone(), self.key.clone());
        let published = match self.parts.take() {
            None => {
                let data = Bytes::from(mem::take(&mut self.buffer));
                self.place.wait_to_the_end(async move { put(&bucket, &key, data).await })
            }
            Some(mut parts) => {
                let expected = (before, self.sent_bytes);
                let (parts, joined) = self.place.wait_to_the_end(async move {
                    let joined = join(&bucket, &key, &mut parts.upload, expected).await;
                    Ok((parts, joined))
                })?;
                if joined.is_err() {
                    // They are removed.
                    self.parts = Some(parts);
                }
                joined
            }
        };
        published.map_err(|error| match error.kind {
            StoreErrorKind::Exists | StoreErrorKind::Replaced
                if self.place.bucket.replace() == Replace::Never =>
            {
                StagingError::Exists(self.url().into())
            }
            _ => error.into(),
        })
    }
}

/// What became of a part of the object at `url`.
fn stored(url: &str, sent: std::result::Result<Answered<()>, JoinError>) -> Answered<()> {
    sent.unwrap_or_else(|error| {
        Err(StoreError::new(url, StoreErrorKind::Other, format!("a part was not sent: {error}")))
    })
}

/// Puts a whole object. Where an answer may have been lost, the store is asked what there is.
async fn put(bucket: &Bucket, key: &str, data: Bytes) -> Answered<()> {
    let mut tries = 1;
    loop {
        let Err(error) = bucket.put(key, data.clone()).await else { return Ok(()) };
        let found = bucket.version(key).await;
        let is_as_long = |found: &Version| found.bytes == data.len() as u64;
        if matches!(&found, Ok(Some(found)) if is_as_long(found))
            && bucket.get(key).await.is_ok_and(|found| found == data)
        {
            return Ok(());
        }
        if error.kind != StoreErrorKind::Unavailable || found.is_err() || tries == TRIES {
            return Err(error);
        }
        tries += 1;
    }
}

/// Makes an object of its parts. Where an answer may have been lost, the store is asked what there
/// is: an object of this length that was not there before.
async fn join(
    bucket: &Bucket,
    key: &str,
    upload: &mut Upload,
    (before, bytes): (Option<Version>, u64),
) -> Answered<()> {
    if bucket.replace() == Replace::Never && bucket.version(key).await?.is_some() {
        let message = "the object exists already";
        return Err(StoreError::new(bucket.store().url(key), StoreErrorKind::Exists, message));
    }
    let Err(error) = upload.complete().await else { return Ok(()) };
    match bucket.version(key).await {
        Ok(Some(now)) if now.bytes == bytes && before.as_ref() != Some(&now) => Ok(()),
        _ => Err(error),
    }
}

impl Write for Object {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.buffer.len() == self.part_bytes() {
            self.send().map_err(io::Error::other)?;
        }
        let room = self.part_bytes() - self.buffer.len();
        let taken = &bytes[..bytes.len().min(room)];
        self.buffer.extend_from_slice(taken);
        Ok(taken.len())
    }

    /// Does nothing: what is not a whole part waits for the rest of it.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Object {
    fn drop(&mut self) {
        let Some(mut parts) = self.parts.take() else { return };
        let url = self.url();
        let removed = self.place.wait_to_the_end(async move {
            // A part that arrives after the removal would stay.
            parts.sending.shutdown().await;
            let removal = tokio::time::timeout(PATIENCE, parts.upload.abort()).await;
            removal.unwrap_or_else(|_| {
                let message = "the store did not answer in time";
                Err(StoreError::new(url, StoreErrorKind::Unavailable, message))
            })
        });
        if let Err(error) = removed {
            self.place.leftovers.add(error);
        }
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Object").field("url", &self.url()).finish_non_exhaustive()
    }
}
