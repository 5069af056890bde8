//! TCP ports: free ones, and who holds one that should be free.

use std::{
    fs, io,
    net::{IpAddr, Ipv4Addr, TcpListener},
};

use anyhow::{Context as _, Result, bail};

/// A port on the loopback address that was free a moment ago. Another process may take it before its user does: the caller
/// retries.
pub(crate) fn free() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("cannot find a free port")?;
    Ok(listener.local_addr().context("cannot read the port")?.port())
}

/// Fails with one line that names the holder, if the port cannot be listened on.
pub(crate) fn require_free(address: IpAddr, port: u16, purpose: &str) -> Result<()> {
    let Err(error) = TcpListener::bind((address, port)) else {
        return Ok(());
    };
    if error.kind() != io::ErrorKind::AddrInUse {
        return Err(error).with_context(|| format!("cannot listen on {address}:{port} for {purpose}"));
    }
    match holder(port) {
        Some((pid, command)) => {
            bail!("port {port}, needed for {purpose}, is held by process {pid} ({command}): stop it first")
        }
        None => bail!("port {port}, needed for {purpose}, is in use: stop what listens there first"),
    }
}

/// The process that listens on a port: /proc/net/tcp names the socket's inode, `/proc/<pid>/fd` who has it open.
fn holder(port: u16) -> Option<(u32, String)> {
    let sockets: Vec<String> = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|table| fs::read_to_string(table).ok())
        .flat_map(|table| listening_inodes(&table, port))
        .map(|inode| format!("socket:[{inode}]"))
        .collect();
    fs::read_dir("/proc").ok()?.flatten().find_map(|entry| {
        let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
        let open = fs::read_dir(entry.path().join("fd")).ok()?;
        let holds = open.flatten().any(|descriptor| {
            fs::read_link(descriptor.path())
                .is_ok_and(|link| sockets.iter().any(|socket| link.as_os_str() == socket.as_str()))
        });
        holds.then(|| (pid, command(pid)))
    })
}

fn command(pid: u32) -> String {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let words: Vec<_> = line
        .split(|&byte| byte == 0)
        .take(2)
        .map(String::from_utf8_lossy)
        .collect();
    words.join(" ").trim().to_owned()
}

/// Inodes of the sockets listening on `port` in the text of /proc/net/tcp (proc_pid_net(5): local address in the second column, state
/// in the fourth with 0A for listening, inode in the tenth).
fn listening_inodes(table: &str, port: u16) -> Vec<String> {
    let suffix = format!(":{port:04X}");
    table
        .lines()
        .skip(1)
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .filter(|columns| columns.len() > 9 && columns[1].ends_with(&suffix) && columns[3] == "0A")
        .map(|columns| columns[9].to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_names_its_holder() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let error = require_free(Ipv4Addr::LOCALHOST.into(), port, "a test")
            .unwrap_err()
            .to_string();
        let me = format!("is held by process {}", std::process::id());
        assert!(
            error.contains(&me) && error.contains(&format!("port {port}, needed for a test")),
            "{error}"
        );
        drop(listener);
        require_free(Ipv4Addr::LOCALHOST.into(), port, "a test").unwrap();
    }

    #[test]
    fn only_listening_sockets_of_that_port_count() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
                     0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1\n\
                     1: 0100007F:1F90 0100007F:D431 01 00000000:00000000 00:00000000 00000000     0        0 4712 1\n\
                     2: 0100007F:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1\n";
        assert_eq!(listening_inodes(table, 8080), ["4711"]);
    }
}
