//! A stack of containers of this test's own, with a name and ports of its own, that is taken down again whatever happens.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::common::{Said, assert_ended, unspoiled};

/// A stack of our own.
pub(crate) struct TestStack {
    project: String,
    /// What is given before each of Compose's commands.
    with: Vec<String>,
}

impl TestStack {
    /// Brings it up; `None`, and a line that says so, where there is no engine or the images cannot be had.
    pub(crate) fn up() -> Option<Self> {
        let stack = Self { project: format!("stampede-test-{}", std::process::id()), with: Vec::new() };
        app::testing::needed("docker", || {
            let works = |args: &[&str]| Command::new("docker").args(args).output().is_ok_and(|o| o.status.success());
            if !works(&["compose", "version"]) || !works(&["info"]) {
                return None;
            }
            let built = stack.compose(&["build"]);
            if !built.status.success() {
                app::testing::skipped(text(&built.stderr).lines().last().unwrap_or_default());
            }
            built.status.success().then_some(())
        })?;
        stack.does(&["up", "-d", "--wait"]);
        Some(stack)
    }

    /// The same images with another cache, in the place of the first.
    pub(crate) fn with_cache(&self, which: &str) -> Self {
        let with = vec!["--env-file".to_owned(), format!("docker/{which}.env")];
        let stack = Self { project: self.project.clone(), with };
        stack.does(&["up", "-d", "--wait"]);
        stack
    }

    pub(crate) fn compose(&self, args: &[&str]) -> Output {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let mut command = Command::new("docker");
        command.arg("compose").args(&self.with).args(args).current_dir(root).env("COMPOSE_PROJECT_NAME", &self.project);
        for (name, value) in [
            ("LAB_IMAGE", "stampede-lab:test"),
            ("LAB_APP_PORTS", "18081-18099"),
            ("LAB_APP_CONTROL_PORTS", "18181-18199"),
            ("LAB_PROXY_CONTROL_PORT", "18200"),
            ("LAB_ORIGIN_CONTROL_PORT", "18201"),
            ("LAB_HEALTH_INTERVAL", "1s"),
            ("LAB_BUILD_PROFILE", "quick"),
        ] {
            command.env(name, value);
        }
        command.output().unwrap()
    }

    pub(crate) fn does(&self, args: &[&str]) {
        let done = self.compose(args);
        assert!(done.status.success(), "docker compose {args:?}: {}", text(&done.stderr));
    }

    pub(crate) fn loadgen(&self, args: &[&str]) -> Command {
        let mut command = crate::common::loadgen(args);
        command.env("COMPOSE_PROJECT_NAME", &self.project);
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Said {
        self.loadgen(args).output().unwrap().into()
    }

    /// A valid run that ends with 0, and its folder.
    pub(crate) fn measure(&self, results: &Path, args: &[&str]) -> (Said, PathBuf) {
        let (said, path) = unspoiled(results, |folder| self.run(&[args, &["-o", folder.to_str().unwrap()]].concat()));
        assert_ended(&said, &path, &[0]);
        (said, path)
    }

    /// States of this stack's containers, `running`, `paused` …, by service.
    pub(crate) fn states(&self) -> Vec<(String, String)> {
        let listed = self.compose(&["ps", "-a", "--format", "{{.Service}} {{.State}}"]);
        let listed = text(&listed.stdout);
        let mut states: Vec<(String, String)> = listed
            .lines()
            .filter_map(|l| l.split_once(' ').map(|(s, state)| (s.to_owned(), state.to_owned())))
            .collect();
        states.sort();
        states
    }

    /// Everything that Docker still has of this project.
    pub(crate) fn left_behind(&self) -> String {
        let filter = format!("label=com.docker.compose.project={}", self.project);
        [&["ps", "-aq"][..], &["volume", "ls", "-q"], &["network", "ls", "-q"]]
            .into_iter()
            .map(|list| text(&Command::new("docker").args(list).args(["--filter", &filter]).output().unwrap().stdout))
            .collect()
    }
}

impl Drop for TestStack {
    fn drop(&mut self) {
        let _ = self.compose(&["down", "-v", "--timeout", "1"]);
    }
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
