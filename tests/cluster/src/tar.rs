//! Just enough of the tar format (POSIX ustar) to pack an image: files and folders, every entry the same on every machine and day.

use std::io::{self, Read, Write};

const BLOCK: u64 = 512;
/// A longer name needs an extension that we do not write.
const LONGEST_NAME: usize = 100;

/// What an entry is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    File,
    Folder,
}

/// Appends one entry of `size` bytes read from `content`, owned by root, dated 1970. Fails if the content has another size.
pub(crate) fn append(
    archive: &mut dyn Write,
    name: &str,
    kind: Kind,
    mode: u32,
    size: u64,
    content: &mut dyn Read,
) -> io::Result<()> {
    archive.write_all(&header(name, kind, mode, size)?)?;
    let copied = io::copy(&mut content.take(size), archive)?;
    if copied != size {
        return Err(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            format!("{name} is shorter than {size} bytes"),
        ));
    }
    let padding = (BLOCK - size % BLOCK) % BLOCK;
    io::copy(&mut io::repeat(0).take(padding), archive).map(drop)
}

/// Two empty blocks end an archive.
pub(crate) fn finish(archive: &mut dyn Write) -> io::Result<()> {
    io::copy(&mut io::repeat(0).take(2 * BLOCK), archive).map(drop)
}

fn header(name: &str, kind: Kind, mode: u32, size: u64) -> io::Result<[u8; BLOCK as usize]> {
    if name.len() > LONGEST_NAME {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("{name} is too long a name"),
        ));
    }
    let mut header = [0; BLOCK as usize];
    let mut put =
        |offset: usize, text: &str| header[offset..offset + text.len()].copy_from_slice(text.as_bytes());
    put(0, name);
    put(100, &format!("{mode:07o}"));
    put(108, "0000000"); // owner
    put(116, "0000000"); // group
    put(124, &format!("{size:011o}"));
    put(136, "00000000000"); // time
    put(148, "        "); // the sum is taken as if it were spaces
    put(
        156,
        match kind {
            Kind::File => "0",
            Kind::Folder => "5",
        },
    );
    put(257, "ustar");
    put(263, "00");
    let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
    header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    Ok(header)
}

#[cfg(test)]
mod tests {
    use std::{fs, process::Command};

    use super::*;

    /// The machine's own tar is the judge.
    #[test]
    fn tar_reads_what_was_packed() {
        let folder = tempfile::tempdir().unwrap();
        let (path, content) = (folder.path().join("a.tar"), vec![b'x'; 1000]);
        let mut archive = Vec::new();
        append(&mut archive, "bin", Kind::Folder, 0o755, 0, &mut io::empty()).unwrap();
        append(
            &mut archive,
            "bin/program",
            Kind::File,
            0o755,
            1000,
            &mut content.as_slice(),
        )
        .unwrap();
        append(&mut archive, "empty", Kind::File, 0o600, 0, &mut io::empty()).unwrap();
        finish(&mut archive).unwrap();
        fs::write(&path, &archive).unwrap();
        let listed = Command::new("tar").arg("-tvf").arg(&path).output().unwrap();
        let listed = String::from_utf8(listed.stdout).unwrap();
        let (modes, names): (Vec<_>, Vec<_>) = listed
            .lines()
            .map(|line| (line.split(' ').next().unwrap(), line.rsplit(' ').next().unwrap()))
            .unzip();
        assert_eq!(modes, ["drwxr-xr-x", "-rwxr-xr-x", "-rw-------"], "{listed}");
        assert_eq!(names, ["bin", "bin/program", "empty"], "{listed}");
        let program = Command::new("tar")
            .arg("-xOf")
            .arg(&path)
            .arg("bin/program")
            .output()
            .unwrap();
        assert_eq!(program.stdout, content);
    }

    #[test]
    fn a_wrong_size_and_a_long_name_are_refused() {
        let mut archive = Vec::new();
        append(
            &mut archive,
            "short",
            Kind::File,
            0o644,
            10,
            &mut b"five!".as_slice(),
        )
        .unwrap_err();
        append(
            &mut archive,
            &"n".repeat(101),
            Kind::File,
            0o644,
            0,
            &mut io::empty(),
        )
        .unwrap_err();
    }
}
