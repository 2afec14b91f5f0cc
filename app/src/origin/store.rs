//! The origin's rows in SQLite: a real SELECT on a real connection for every read.

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Row, Sqlite, pool::PoolConnection};

/// Connections of the pool. One thread each, made when first needed. An origin of more places shares them: a read gives its
/// connection back after the SELECT, and keeps its place.
pub(super) const CONNECTIONS_MAX: u32 = 256;

/// An item as it lies in the table.
pub(super) struct Item {
    pub(super) version: u64,
    pub(super) value: String,
}

/// The rows. Readers share a pool; the writer has a connection of its own.
#[derive(Clone)]
pub(super) struct Store {
    readers: SqlitePool,
    writer: SqlitePool,
}

impl Store {
    /// Opens the file, making it where it is absent.
    pub(super) async fn open(path: &Path) -> Result<Self, sqlx::Error> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(Duration::from_secs(5));
        let pool = |max| {
            // A read waits for its place, and for the pool only while others SELECT.
            SqlitePoolOptions::new()
                .max_connections(max)
                .test_before_acquire(false)
                .idle_timeout(None)
                .max_lifetime(None)
                .acquire_timeout(Duration::from_secs(5))
        };
        let writer = pool(1).connect_with(options.clone()).await?;
        sqlx::query("CREATE TABLE IF NOT EXISTS items (id TEXT PRIMARY KEY, version INTEGER NOT NULL, value TEXT NOT NULL) WITHOUT ROWID")
            .execute(&writer)
            .await?;
        let readers = pool(CONNECTIONS_MAX).connect_with(options).await?;
        Ok(Self { readers, writer })
    }

    /// Replaces all rows: items 1 to `items` at version 1, each value `bytes` long.
    pub(super) async fn seed(&self, items: u32, bytes: u32) -> Result<(), sqlx::Error> {
        let value = "x".repeat(bytes as usize);
        let mut transaction = self.writer.begin().await?;
        sqlx::query("DELETE FROM items").execute(&mut *transaction).await?;
        for number in 1..=items {
            sqlx::query("INSERT INTO items (id, version, value) VALUES (?, 1, ?)")
                .bind(number.to_string())
                .bind(&value)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await
    }

    /// Makes `places` connections now, so that no read of the run pays for one.
    pub(super) async fn open_places(&self, places: u32) -> Result<(), sqlx::Error> {
        let mut held = Vec::new();
        for _ in 0..places.min(CONNECTIONS_MAX) {
            held.push(self.readers.acquire().await?);
        }
        Ok(())
    }

    pub(super) async fn place(&self) -> Result<PoolConnection<Sqlite>, sqlx::Error> {
        self.readers.acquire().await
    }

    /// Gives every row a new version.
    pub(super) async fn write_all(&self) -> Result<(), sqlx::Error> {
        sqlx::query("UPDATE items SET version = version + 1").execute(&self.writer).await.map(|_| ())
    }

    pub(super) async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// The SELECT.
pub(super) async fn select(connection: &mut PoolConnection<Sqlite>, key: &str) -> Result<Option<Item>, sqlx::Error> {
    let row = sqlx::query("SELECT version, value FROM items WHERE id = ?")
        .bind(key)
        .fetch_optional(&mut **connection)
        .await?;
    let item = |row: sqlx::sqlite::SqliteRow| {
        let version: i64 = row.try_get(0)?;
        Ok(Item { version: version.unsigned_abs(), value: row.try_get(1)? })
    };
    row.map(item).transpose()
}
