//! A real Chromium, driven over its DevTools protocol: pages are opened, clicked, typed at and looked at.
//!
//! The protocol comes over two pipes (`--remote-debugging-pipe`: descriptors 3 and 4, messages ended by a nought), so that no
//! port and no WebSocket is needed. Named pipes carry them, because a shell can open those at these numbers.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use base64::Engine;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Nothing that is asked of it takes longer, even on a machine with other work.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Browser {
    child: Child,
    to: File,
    from: Receiver<Value>,
    next: u64,
    session: String,
    /// What was said on the console, thrown, or logged by the browser about the page.
    pub complaints: Vec<String>,
    /// Addresses that the page asked for.
    pub requests: Vec<String>,
    _profile: TempDir,
}

/// Chromium's name on this machine. `None` where there is none, which is a failure where `LAB_REQUIRE` has `chromium`, or where
/// `LAB_WITHOUT` has it (as `app::testing::needed` does it for the rooms above).
fn chromium() -> Option<&'static str> {
    let works = |name: &&str| Command::new(name).arg("--version").output().is_ok_and(|o| o.status.success());
    let listed = |name| std::env::var(name).is_ok_and(|list| list.split(',').any(|w| w.trim() == "chromium"));
    if listed("LAB_WITHOUT") {
        eprintln!("skipped: LAB_WITHOUT has chromium");
        return None;
    }
    let found = ["chromium", "chromium-browser", "google-chrome"].into_iter().find(works);
    assert!(found.is_some() || !listed("LAB_REQUIRE"), "LAB_REQUIRE has chromium, and none is on the PATH");
    if found.is_none() {
        eprintln!("skipped: no Chromium on the PATH; ci/test.sh installs it");
    }
    found
}

impl Browser {
    /// A browser with one empty page.
    pub fn open() -> Option<Self> {
        let name = chromium()?;
        let profile = tempfile::tempdir().unwrap();
        let [commands, answers] = ["commands", "answers"].map(|name| profile.path().join(name));
        assert!(Command::new("mkfifo").args([&commands, &answers]).status().unwrap().success());
        // Opened for both, so that neither side waits for the other.
        let [to, from] =
            [&commands, &answers].map(|pipe| OpenOptions::new().read(true).write(true).open(pipe).unwrap());
        let child = Command::new("sh")
            .args(["-c", "exec \"$@\" 3<\"$COMMANDS\" 4>\"$ANSWERS\"", "sh", name])
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--no-first-run",
                "--hide-scrollbars",
                "--remote-debugging-pipe",
            ])
            .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
            .arg(format!("--user-data-dir={}", profile.path().join("profile").display()))
            .env("COMMANDS", &commands)
            .env("ANSWERS", &answers)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (tell, heard) = channel();
        std::thread::spawn(move || {
            for message in BufReader::new(from).split(0) {
                let Ok(value) = serde_json::from_slice(&message.unwrap()) else { return };
                if tell.send(value).is_err() {
                    return;
                }
            }
        });
        let (complaints, requests, session) = Default::default();
        let mut browser = Self { child, to, from: heard, next: 0, session, complaints, requests, _profile: profile };
        let target = browser.call("Target.createTarget", json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        browser.session = browser.call("Target.attachToTarget", attach)["sessionId"].as_str().unwrap().to_owned();
        for domain in ["Page", "Runtime", "Log", "Network"] {
            browser.call(&format!("{domain}.enable"), json!({}));
        }
        Some(browser)
    }

    /// One command and its answer; what happens meanwhile is kept.
    pub fn call(&mut self, method: &str, params: Value) -> Value {
        self.next += 1;
        let mut command = json!({ "id": self.next, "method": method, "params": params });
        if !self.session.is_empty() {
            command["sessionId"] = json!(self.session);
        }
        self.to.write_all(format!("{command}\0").as_bytes()).unwrap();
        loop {
            let message = self.hear(method);
            if message["id"] == json!(self.next) {
                assert!(message["error"].is_null(), "{method}: {message}");
                return message["result"].clone();
            }
        }
    }

    fn hear(&mut self, waiting_for: &str) -> Value {
        let message =
            self.from.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("no word from Chromium: {waiting_for}"));
        let params = &message["params"];
        match message["method"].as_str().unwrap_or_default() {
            "Runtime.consoleAPICalled" | "Runtime.exceptionThrown" | "Log.entryAdded" => {
                self.complaints.push(params.to_string());
            }
            "Network.requestWillBeSent" => {
                self.requests.push(params["request"]["url"].as_str().unwrap_or_default().to_owned());
            }
            _ => {}
        }
        message
    }

    /// Opens a file of the disk and waits until it is loaded.
    pub fn goto(&mut self, page: &Path) {
        self.goto_url(&format!("file://{}", page.display()));
    }

    /// Opens an address and waits until it is loaded.
    pub fn goto_url(&mut self, url: &str) {
        self.complaints.clear();
        self.requests.clear();
        self.call("Page.navigate", json!({ "url": url }));
        while self.hear("Page.loadEventFired")["method"] != "Page.loadEventFired" {}
    }

    /// What an expression is in the page.
    pub fn eval(&mut self, expression: &str) -> Value {
        let params = json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let answer = self.call("Runtime.evaluate", params);
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    /// What an expression is, as text.
    pub fn text(&mut self, expression: &str) -> String {
        self.eval(expression).as_str().unwrap_or_default().to_owned()
    }

    /// Width and colour scheme of the window.
    pub fn look_like(&mut self, width: u32, scheme: &str) {
        let size = json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.call("Emulation.setDeviceMetricsOverride", size);
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.call("Emulation.setEmulatedMedia", json!({ "media": "", "features": features }));
    }

    /// Presses and releases a key by its name, `Enter`.
    pub fn key(&mut self, key: &str) {
        let text = match key {
            "Enter" => "\r",
            " " => " ",
            _ => "",
        };
        let code = match key {
            "Enter" => 13,
            " " => 32,
            "Tab" => 9,
            "Escape" => 27,
            _ => 0,
        };
        let down = if text.is_empty() { "rawKeyDown" } else { "keyDown" };
        for kind in [down, "keyUp"] {
            let event = json!({ "type": kind, "key": key, "code": key, "text": text, "windowsVirtualKeyCode": code });
            self.call("Input.dispatchKeyEvent", event);
        }
    }

    /// Moves the pointer into an element, to these shares of its width and height, and clicks where that is wanted.
    pub fn point(&mut self, selector: &str, (x, y): (f64, f64), click: bool) {
        let found = self.eval(&format!(
            "(() => {{ const e = document.querySelector({}); e.scrollIntoView({{ block: 'center' }}); \
             const {{ left, top, width, height }} = e.getBoundingClientRect(); \
             return [left + width * {x}, top + height * {y}]; }})()",
            json!(selector)
        ));
        let at = |kind: &str| json!({ "type": kind, "x": found[0], "y": found[1], "button": "left", "clickCount": 1 });
        self.call("Input.dispatchMouseEvent", json!({ "type": "mouseMoved", "x": found[0], "y": found[1] }));
        if click {
            self.call("Input.dispatchMouseEvent", at("mousePressed"));
            self.call("Input.dispatchMouseEvent", at("mouseReleased"));
        }
        // What the page does on its next frame is done then.
        self.eval("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(0))))");
    }

    /// The whole page as a PNG.
    pub fn screenshot(&mut self, file: &Path) {
        let size = self.eval("[document.documentElement.clientWidth, document.documentElement.scrollHeight]");
        let clip = json!({ "x": 0, "y": 0, "width": size[0], "height": size[1], "scale": 1 });
        let shot = self.call("Page.captureScreenshot", json!({ "clip": clip, "captureBeyondViewport": true }));
        let png = base64::engine::general_purpose::STANDARD.decode(shot["data"].as_str().unwrap()).unwrap();
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, png).unwrap();
    }

    /// Nothing was complained of, and nothing was asked for but the page itself.
    pub fn assert_quiet(&mut self) {
        self.eval("0");
        assert!(self.complaints.is_empty(), "{:?}", self.complaints);
        assert_eq!(self.requests.len(), 1, "{:?}", self.requests);
        assert!(self.requests[0].starts_with("file://"));
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Killed, it would leave children behind that still write into the profile.
        let _ = self.to.write_all(b"{\"id\":0,\"method\":\"Browser.close\"}\0");
        let began = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) && began.elapsed() < Duration::from_secs(10) {
            std::thread::park_timeout(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
