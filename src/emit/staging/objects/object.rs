//! Unpublished objects and their uploads.

use std::fmt;
use std::io::{self, Write};
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::task::{JoinError, JoinSet};

use super::folder::BucketFolder;
use super::part::part_bytes;
use crate::emit::staging::StagingError;
use crate::emit::staging::error::Result;
use crate::store::{Bucket, Replace, StoreError, StoreErrorKind, Upload, Version};

/// The number of attempts to put an object if the response is lost.
const ATTEMPTS: usize = 3;
/// The maximum time of aborting an upload.
const ABORT_TIMEOUT: Duration = Duration::from_secs(30);

/// The result of a request to the store.
type Response<T> = std::result::Result<T, StoreError>;

/// An unpublished object. It is invisible until it is published. If it is dropped before, its
/// upload is aborted.
pub(in crate::emit::staging) struct Object {
    folder: Arc<BucketFolder>,
    name: String,
    key: String,
    /// The bytes that are not sent yet: a part, or all of a small object.
    buffer: Vec<u8>,
    /// The number of bytes that were sent in parts.
    sent_bytes: u64,
    parts: Option<Parts>,
}

/// A multipart upload that was started.
struct Parts {
    upload: Upload,
    count: usize,
    /// The parts whose result was not checked yet.
    sending: JoinSet<Response<()>>,
}

impl Object {
    pub(super) fn new(folder: &Arc<BucketFolder>, name: &str) -> Self {
        Self {
            folder: Arc::clone(folder),
            name: name.to_owned(),
            key: folder.key(name),
            buffer: Vec::new(),
            sent_bytes: 0,
            parts: None,
        }
    }

    /// Returns the name in the folder.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Returns the URL.
    pub(in crate::emit::staging) fn url(&self) -> String {
        self.folder.url(&self.name)
    }

    fn part_bytes(&self) -> usize {
        part_bytes(self.parts.as_ref().map_or(0, |parts| parts.count))
    }

    /// Sends the buffer as the next part. Waits until fewer bytes are in flight.
    fn send(&mut self) -> Result<()> {
        let permit = self.folder.reserve(self.buffer.len())?;
        let parts = match &mut self.parts {
            Some(parts) => parts,
            none => {
                let (bucket, key) = (self.folder.bucket.clone(), self.key.clone());
                let upload = self.folder.wait(async move { bucket.start_upload(&key).await })?;
                none.insert(Parts { upload, count: 0, sending: JoinSet::new() })
            }
        };
        while let Some(sent) = parts.sending.try_join_next() {
            part_result(&self.folder.url(&self.name), sent)?;
        }
        let data = Bytes::from(mem::take(&mut self.buffer));
        self.sent_bytes += data.len() as u64;
        let part = parts.upload.put_part(data);
        parts.count += 1;
        let send = async move {
            let sent = part.await;
            drop(permit);
            sent
        };
        parts.sending.spawn_on(send, self.folder.runtime());
        Ok(())
    }

    /// Sends the rest of a multipart upload, and waits until all parts are stored.
    pub(super) fn finish(&mut self) -> Result<()> {
        if self.parts.is_none() {
            return Ok(());
        }
        if !self.buffer.is_empty() {
            self.send()?;
        }
        let Some(parts) = &mut self.parts else { return Ok(()) };
        let (mut sending, url) = (mem::take(&mut parts.sending), self.folder.url(&self.name));
        self.folder.wait(async move {
            while let Some(sent) = sending.join_next().await {
                part_result(&url, sent)?;
            }
            Ok(())
        })
    }

    /// Publishes the object, whose parts are all stored or which is in memory. `before` is the
    /// version that it replaces.
    pub(super) fn publish(mut self, before: Option<Version>) -> Result<()> {
        let (bucket, key) = (self.folder.bucket.clone(), self.key.clone());
        let published = match self.parts.take() {
            None => {
                let data = Bytes::from(mem::take(&mut self.buffer));
                self.folder.wait_uninterrupted(async move { put(&bucket, &key, data).await })
            }
            Some(mut parts) => {
                let expected = (before, self.sent_bytes);
                let (parts, completed) = self.folder.wait_uninterrupted(async move {
                    let completed = complete(&bucket, &key, &mut parts.upload, expected).await;
                    Ok((parts, completed))
                })?;
                if completed.is_err() {
                    // Dropping `self` aborts the upload.
                    self.parts = Some(parts);
                }
                completed
            }
        };
        published.map_err(|error| match error.kind {
            StoreErrorKind::Exists | StoreErrorKind::Replaced
                if self.folder.bucket.replace() == Replace::Never =>
            {
                StagingError::Exists(self.url().into())
            }
            _ => error.into(),
        })
    }
}

/// Returns the result of a part of the object at `url`.
fn part_result(url: &str, sent: std::result::Result<Response<()>, JoinError>) -> Response<()> {
    sent.unwrap_or_else(|error| {
        Err(StoreError::new(url, StoreErrorKind::Other, format!("a part was not sent: {error}")))
    })
}

/// Puts a small object. If the response may have been lost, checks whether the object has this
/// content.
async fn put(bucket: &Bucket, key: &str, data: Bytes) -> Response<()> {
    let mut attempts = 1;
    loop {
        let Err(error) = bucket.put(key, data.clone()).await else { return Ok(()) };
        let found = bucket.version(key).await;
        let has_same_size = |found: &Version| found.bytes == data.len() as u64;
        if matches!(&found, Ok(Some(found)) if has_same_size(found))
            && bucket.get(key).await.is_ok_and(|found| found == data)
        {
            return Ok(());
        }
        if error.kind != StoreErrorKind::Unavailable || found.is_err() || attempts == ATTEMPTS {
            return Err(error);
        }
        attempts += 1;
    }
}

/// Completes a multipart upload. If the response may have been lost, checks whether there is a new
/// version of the object with this size.
async fn complete(
    bucket: &Bucket,
    key: &str,
    upload: &mut Upload,
    (before, bytes): (Option<Version>, u64),
) -> Response<()> {
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

    /// Does nothing, as incomplete parts are not sent.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Object {
    fn drop(&mut self) {
        let Some(mut parts) = self.parts.take() else { return };
        let url = self.url();
        let removed = self.folder.wait_uninterrupted(async move {
            // Parts that arrive after the upload is aborted would be kept.
            parts.sending.shutdown().await;
            let removal = tokio::time::timeout(ABORT_TIMEOUT, parts.upload.abort()).await;
            removal.unwrap_or_else(|_| {
                let message = "the store did not respond in time";
                Err(StoreError::new(url, StoreErrorKind::Unavailable, message))
            })
        });
        if let Err(error) = removed {
            self.folder.leftovers.add(error);
        }
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Object").field("url", &self.url()).finish_non_exhaustive()
    }
}
