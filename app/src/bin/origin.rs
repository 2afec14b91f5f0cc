//! The origin, as a program of its own.

fn main() -> anyhow::Result<()> {
    app::programs::origin::main()
}
