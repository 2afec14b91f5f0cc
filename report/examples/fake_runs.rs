//! Writes made-up runs and renders them, for looking at charts without a lab: `cargo run -p report --example fake_runs
//! -- FOLDER`. The numbers mean nothing; the shapes are those of real runs.

#[path = "../tests/it/support/mod.rs"]
mod support;

use std::path::{Path, PathBuf};

use report::record::EventRow;
use report::sweep::{SweepFolder, render_sweep};
use report::{RunFolder, render};
use support::sweep as sweeps;
use support::target::write_target;
use support::{Kind, Plan, Shape, bulk_warm, hotkey, shape, write};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = PathBuf::from(std::env::args().nth(1).ok_or("usage: fake_runs FOLDER")?);
    draw(&hotkey(60), &root.join("hotkey"))?;
    draw(&bulk_warm(), &root.join("bulk-warm"))?;
    draw(&hotkey(2), &root.join("two-seconds"))?;
    draw(&many(), &root.join("many"))?;
    let one = Plan { shapes: vec![shape(Kind::Naive, "naive", "plain")], ..hotkey(60) };
    draw(&one, &root.join("one"))?;
    // A stall of 1.4 s that holds up the sends, and an open loop without one.
    draw(&Plan { open: Some(30_000_000_000..31_400_000_000), ..hotkey(60) }, &root.join("stall"))?;
    draw(&Plan { open: Some(0..0), ..hotkey(60) }, &root.join("open"))?;
    write_target(&hotkey(60), &root.join("target"));
    render(&root.join("target"))?;
    for (name, sweep) in [("one-knob", sweeps::one_knob()), ("two-knobs", sweeps::two_knobs())] {
        SweepFolder::at(root.join(name)).write(&sweep)?;
        render_sweep(&root.join(name))?;
    }
    nothing(&root.join("nothing"))
}

fn draw(plan: &Plan, dir: &Path) -> Result<(), Box<dyn std::error::Error>> {
    write(plan, dir);
    render(dir)?;
    Ok(())
}

/// Ten strategies over five minutes; long names, faults, and two that are invalid.
fn many() -> Plan {
    let name =
        |kind, name| shape(kind, name, "l1(ttl=1s) + swr(soft=5s, hard=10s) + lock(lease=10s, poll=50ms) + limit(20)");
    let mut shapes = hotkey(60).shapes;
    shapes.push(name(Kind::Single, "l1(ttl=1s, size=1000) + swr(soft=5s, hard=10s) + lock(lease=10s) + jitter(20%)"));
    shapes.push(Shape { valid: false, ..name(Kind::Naive, "naive-again") });
    shapes.push(Shape { valid: false, ..name(Kind::Swr, "swr(soft=5s, hard=10s) + lease(max_age=5s) + negative(1s)") });
    shapes.push(name(Kind::Early, "xfetch2"));
    shapes.push(name(Kind::Jitter, "jitter100"));
    Plan { duration_s: 300, shapes, ..hotkey(60) }
}

/// Nothing was recorded, and every file of the second strategy is missing.
fn nothing(dir: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let plan = Plan { duration_s: 0, warmup_s: 0, ..hotkey(60) };
    write(&plan, dir);
    let folder = RunFolder::at(dir);
    let mut run = folder.read_run()?;
    run.duration_s = 60.0;
    for strategy in &mut run.strategies {
        if let Some(origin) = &mut strategy.origin {
            (origin.floor, origin.per_expiry) = (None, None);
        }
    }
    folder.write_run(&run)?;
    std::fs::remove_dir_all(folder.strategy("singleflight")?.path())?;
    let fault =
        |t_ns, what: &str| EventRow { t_ns, event: "fault".into(), detail: Some(what.into()), ..EventRow::default() };
    let faults = [
        fault(20_000_000_000, "cache-pause 2 s"),
        fault(21_000_000_000, "replica 1 killed"),
        fault(59_000_000_000, "origin-slow ×5"),
    ];
    folder.strategy("naive")?.write_events(&faults)?;
    render(dir)?;
    Ok(())
}
