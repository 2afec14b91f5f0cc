//! Facts about the machine: an allow-list, read from /proc where there is one.

use report::record::Environment;

/// What this machine is, and how busy it was when asked.
#[must_use]
pub fn environment() -> Environment {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let kernel = read("/proc/sys/kernel/osrelease");
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let memory_kib = field(&read("/proc/meminfo"), "MemTotal").and_then(|m| m.split(' ').next()?.parse::<u64>().ok());
    let load = read("/proc/loadavg").split(' ').next().and_then(|l| l.parse::<f64>().ok());
    Environment {
        os: format!("{} {}", std::env::consts::OS, kernel.trim()).trim().to_owned(),
        arch: std::env::consts::ARCH.into(),
        cpu: field(&read("/proc/cpuinfo"), "model name"),
        cores: std::thread::available_parallelism().map_or(1, |n| u32::try_from(n.get()).unwrap_or(u32::MAX)),
        memory_mib: memory_kib.map(|kib| kib / 1024),
        build: if cfg!(debug_assertions) { "debug" } else { "release" }.into(),
        load_average_percent: load.map(|l| (l * 100.0) as u32),
    }
}
