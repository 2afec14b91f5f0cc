//! The page in a real browser.

use std::path::Path;
use std::process::Command;

use super::{origin_of, record};

fn chromium() -> Option<&'static str> {
    let works = |name: &&str| Command::new(name).arg("--version").output().is_ok_and(|o| o.status.success());
    app::testing::needed("chromium", || ["chromium", "chromium-browser", "google-chrome"].into_iter().find(works))
}

/// Opens the page: no console message, and a table that says what run.json says.
pub fn assert_is_the_record(run: &Path) {
    let Some(chromium) = chromium() else { return };
    let profile = tempfile::tempdir().unwrap();
    let output = Command::new(chromium)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"])
        .args(["--disable-component-update", "--disable-sync", "--enable-logging=stderr", "--dump-dom"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("file://{}/report.html", run.display()))
        .output()
        .unwrap();
    let (dom, log) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && dom.contains("</html>"), "{log}");
    assert!(!log.contains("CONSOLE"), "{log}");
    for strategy in &record(run).strategies {
        let row = dom.split("<tr").find(|row| row.contains(&format!(">{}<", strategy.name)));
        let row = row.unwrap_or_else(|| panic!("no row of {}", strategy.name));
        let total = format!(">{}<", origin_of(strategy).total);
        assert!(row.contains(&total), "{}: {total} is not in {row}", strategy.name);
    }
    assert!(dom.matches("<svg").count() >= 9, "a chart for each strategy, and three for all");
}
