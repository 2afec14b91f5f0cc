//! The connections that a worker's requests share.

use evidence::ErrorKind;

use super::connection::Connection;
use super::worker::WorkerContext;

/// Connections of a worker at most; a request that would need one more is not sent, and counted.
const CONNECTIONS_MAX: usize = 4096;

/// A worker's connections that nobody uses now, by replica; and how many there are in all.
pub(super) struct ConnectionPool {
    idle: Vec<Vec<Connection>>,
    made: usize,
}

impl ConnectionPool {
    /// One that makes connections as they are needed.
    pub(super) fn empty(context: &WorkerContext) -> Self {
        Self { idle: context.drive.sites.iter().map(|_| Vec::new()).collect(), made: 0 }
    }

    /// Nobody uses it now.
    pub(super) fn give_back(&mut self, replica: usize, connection: Connection) {
        self.idle[replica].push(connection);
    }

    /// One with so many connections to each replica that are made already.
    pub(super) async fn connected(context: &WorkerContext, each: usize) -> Result<Self, ErrorKind> {
        let mut idle = Vec::new();
        for site in &context.drive.sites {
            let mut connections = Vec::new();
            for _ in 0..each {
                let mut connection = Connection::to(site, context.drive.timeout);
                connection.connect().await?;
                connections.push(connection);
            }
            idle.push(connections);
        }
        let made = idle.len() * each;
        Ok(Self { idle, made })
    }

    /// A connection to a replica, a new one where none is idle; `None` where there are as many as there may be.
    pub(super) fn take(&mut self, context: &WorkerContext, replica: usize) -> Option<Connection> {
        if let Some(connection) = self.idle[replica].pop() {
            return Some(connection);
        }
        if self.made >= CONNECTIONS_MAX {
            return None;
        }
        self.made += 1;
        Some(Connection::to(&context.drive.sites[replica], context.drive.timeout))
    }
}
