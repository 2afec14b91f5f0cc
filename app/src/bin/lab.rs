//! A stack's tools, as a program of their own.

fn main() -> anyhow::Result<()> {
    app::programs::tools::main()
}
