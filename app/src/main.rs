//! A replica, as a program of its own.

fn main() -> anyhow::Result<()> {
    app::programs::replica::main()
}
