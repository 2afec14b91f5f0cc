//! Files that appear whole or not at all.
//!
//! A crash in the middle of a write must leave the old file, or none: a reader must never meet half a record. So each
//! file is written beside its place, synced, and renamed into it.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

use crate::files::error::{ReportError, io_error};

/// Writes a file by way of a temporary file in the same folder, `fsync` and rename; makes the folder where it is missing.
///
/// # Errors
///
/// [`ReportError::Io`] with the path and the cause (a full disk included). The old file is then unharmed and no
/// temporary file is left.
pub fn write_atomic(path: &Path, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), ReportError> {
    let mut file = AtomicFile::create(path)?;
    fill(&mut file).map_err(io_error("write", path))?;
    file.commit()
}

/// The same for a file of a run, which lies in the run's folder `root`, and nowhere else.
///
/// # Errors
///
/// [`ReportError::Link`] where `path`, or a folder between `root` and it, is a symbolic link; otherwise as [`write_atomic`].
pub fn write_inside(
    root: &Path,
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), ReportError> {
    refuse_links(root, path)?;
    write_atomic(path, fill)
}

/// Refuses a path that a link below `root` would lead out of it. The root itself may be a link: that is its owner's choice.
pub(crate) fn refuse_links(root: &Path, path: &Path) -> Result<(), ReportError> {
    let below = path.ancestors().take_while(|folder| *folder != root);
    let mut links = below.filter(|at| fs::symlink_metadata(at).is_ok_and(|found| found.is_symlink()));
    match links.next() {
        Some(link) => Err(ReportError::Link { path: path.to_owned(), link: link.to_owned() }),
        None => Ok(()),
    }
}

/// A file that is being written beside its place. It appears at [`AtomicFile::commit`]; dropped before that, nothing is left.
pub struct AtomicFile {
    path: PathBuf,
    out: BufWriter<NamedTempFile>,
}

impl AtomicFile {
    /// Begins a file that will be at `path`; makes its folder where it is missing.
    ///
    /// # Errors
    ///
    /// [`ReportError::Io`].
    pub fn create(path: &Path) -> Result<Self, ReportError> {
        let folder = folder_of(path);
        fs::create_dir_all(folder).map_err(io_error("create", folder))?;
        let mut builder = Builder::new();
        // As any other file of its owner's, and not for him alone, as temporary files are.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let file = builder.prefix(".").suffix(".tmp").tempfile_in(folder).map_err(io_error("write", path))?;
        Ok(Self { path: path.to_owned(), out: BufWriter::with_capacity(1 << 16, file) })
    }

    /// Where it will be.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Syncs it and puts it in its place.
    ///
    /// # Errors
    ///
    /// [`ReportError::Io`]; the old file is then unharmed.
    pub fn commit(self) -> Result<(), ReportError> {
        let Self { path, out } = self;
        let file = out.into_inner().map_err(io::IntoInnerError::into_error).map_err(io_error("write", &path))?;
        file.as_file().sync_all().map_err(io_error("write", &path))?;
        file.persist(&path).map_err(|error| error.error).map_err(io_error("write", &path))?;
        // The rename itself must survive a power cut. Where folders cannot be opened (Windows), nothing is to be done.
        if let Ok(folder) = File::open(folder_of(&path)) {
            let _ = folder.sync_all();
        }
        Ok(())
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_the_old_file_and_no_litter() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("run.json");
        write_atomic(&path, |out| out.write_all(b"old")).unwrap();
        let full = || io::Error::from(io::ErrorKind::StorageFull);
        let error = write_atomic(&path, |out| out.write_all(b"half").and(Err(full()))).unwrap_err().to_string();
        assert!(error.contains("run.json") && error.contains("disk is full"), "{error}");
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn nothing_is_written_through_a_link() {
        use std::os::unix::fs::symlink;
        let (dir, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let root = dir.path().join("run");
        fs::create_dir_all(root.join("naive")).unwrap();
        symlink(elsewhere.path(), root.join("charts")).unwrap();
        symlink(elsewhere.path().join("page"), root.join("report.html")).unwrap();
        for name in ["charts/naive.svg", "charts/deep/naive.svg", "report.html"] {
            let said = write_inside(&root, &root.join(name), |out| out.write_all(b"x")).unwrap_err().to_string();
            assert!(
                said.contains(name) && said.contains("is a symbolic link") && said.contains("remove the link"),
                "{said}"
            );
        }
        assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
        // The run's folder may be reached by one.
        symlink(&root, dir.path().join("latest")).unwrap();
        let latest = dir.path().join("latest");
        write_inside(&latest, &latest.join("naive/seconds.csv"), |out| out.write_all(b"x")).unwrap();
        assert_eq!(fs::read(root.join("naive/seconds.csv")).unwrap(), b"x");
    }

    #[test]
    fn a_folder_in_the_way_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let error = write_atomic(dir.path(), |out| out.write_all(b"x")).unwrap_err().to_string();
        assert!(error.contains(&dir.path().display().to_string()), "{error}");
    }
}
