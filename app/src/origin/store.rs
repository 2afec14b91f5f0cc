//! The origin's rows in SQLite: a real SELECT on a real connection for every read.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use scenarios::SizeLaw;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Row, Sqlite, pool::PoolConnection};
use tokio::sync::Mutex;

use super::value::{self, ValueShape};

/// Connections of the pool. One thread each, made when first needed. An origin of more places shares them: a read gives its
/// connection back after the SELECT, and keeps its place.
pub(super) const CONNECTIONS_MAX: u32 = 256;

/// Rows that are written with one statement, and bytes of their values: a statement for each row takes longer than its row.
const BATCH_ROWS: usize = 256;
const BATCH_BYTES: usize = 1 << 20;

/// An item.
pub(super) struct StoredItem {
    pub(super) version: u64,
    pub(super) value: String,
}

/// The rows. Readers share a pool; the writer has a connection of its own.
#[derive(Clone)]
pub(super) struct Store {
    readers: SqlitePool,
    writer: SqlitePool,
    /// Which rows the table has, as far as we made them ourselves.
    seeded: Arc<Mutex<Option<(u32, ValueShape)>>>,
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
        Ok(Self { readers, writer, seeded: Arc::default() })
    }

    /// Makes the rows those of items 1 to `items` at version 1. Where they are that already but for their versions, as they are for
    /// the second strategy of a run, only these are set back.
    pub(super) async fn seed(&self, items: u32, shape: ValueShape) -> Result<(), sqlx::Error> {
        let mut seeded = self.seeded.lock().await;
        let mut transaction = self.writer.begin().await?;
        if seeded.as_ref() == Some(&(items, shape.clone())) {
            sqlx::query("UPDATE items SET version = 1 WHERE version <> 1").execute(&mut *transaction).await?;
            return transaction.commit().await;
        }
        *seeded = None;
        sqlx::query("DELETE FROM items").execute(&mut *transaction).await?;
        let most = shape.sizes.values().map(SizeLaw::p99).max().unwrap_or(0);
        for batch in batches(items, most) {
            let rows: Vec<String> = batch.iter().map(|_| "(?, 1, ?)".to_owned()).collect();
            let insert = format!("INSERT INTO items (id, version, value) VALUES {}", rows.join(", "));
            let mut insert = sqlx::query(sqlx::AssertSqlSafe(insert));
            for number in batch {
                insert = insert.bind(number.to_string()).bind(shape.first(number));
            }
            insert.execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        *seeded = Some((items, shape));
        Ok(())
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

    /// Gives a row a new version; `None` where there is no such row.
    pub(super) async fn write(&self, key: &str) -> Result<Option<StoredItem>, sqlx::Error> {
        let update = "UPDATE items SET version = version + 1 WHERE id = ? RETURNING version, value";
        let row = sqlx::query(update).bind(key).fetch_optional(&self.writer).await?;
        row.map(item).transpose()
    }

    pub(super) async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// The SELECT.
pub(super) async fn select(
    connection: &mut PoolConnection<Sqlite>,
    key: &str,
) -> Result<Option<StoredItem>, sqlx::Error> {
    let row = sqlx::query("SELECT version, value FROM items WHERE id = ?")
        .bind(key)
        .fetch_optional(&mut **connection)
        .await?;
    row.map(item).transpose()
}

/// A row's version and value.
fn item(row: sqlx::sqlite::SqliteRow) -> Result<StoredItem, sqlx::Error> {
    let version: i64 = row.try_get(0)?;
    let version = version.unsigned_abs();
    Ok(StoredItem { version, value: value::of_version(row.try_get(1)?, version) })
}

/// Items 1 to `items` as they are written: in the order in which the table keeps them, by their keys' text, so that each row goes to
/// its end.
fn batches(items: u32, value_bytes: u32) -> Vec<Vec<u32>> {
    let mut numbers: Vec<u32> = (1..=items).collect();
    numbers.sort_by_cached_key(u32::to_string);
    let most = (BATCH_BYTES / (value_bytes as usize).max(1)).clamp(1, BATCH_ROWS);
    numbers.chunks(most).map(<[u32]>::to_vec).collect()
}
